#pragma once

namespace vitrine::detail {

/// Makes LibTorch's operations run on the calling thread alone, when that thread calls them; other
/// threads keep theirs. For threads that each work on an image of their own: with a team for each,
/// their number would be the product of both.
void use_single_thread();

}  // namespace vitrine::detail
