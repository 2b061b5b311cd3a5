#pragma once

#include "image/bytes.h"

namespace vitrine::detail {

/// The orientation, 1 to 8, in `exif`, a TIFF structure with or without "Exif\0\0" before it; 1
/// where there is none or the structure is unsound: metadata never makes a picture unreadable.
///
/// Source: CIPA DC-008 (Exif 2.32), section 4.6.4, tag 274.
int exif_orientation(Bytes exif);

}  // namespace vitrine::detail
