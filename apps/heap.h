#pragma once

namespace vitrine {

/// Has the process keep what it frees, on huge pages where the kernel gives them. Large tensors
/// would otherwise go back to the kernel after each use, to be paged in again, 4 KiB at a time.
/// Does nothing without glibc.
void keep_heap();

/// Gives what is free back to the kernel, and goes on as `keep_heap` has it.
void empty_heap();

}  // namespace vitrine
