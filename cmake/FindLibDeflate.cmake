# FindLibDeflate: libdeflate, as the imported target LibDeflate::LibDeflate. Debian's package brings no CMake files.

find_path(LibDeflate_INCLUDE_DIR NAMES libdeflate.h)
find_library(LibDeflate_LIBRARY NAMES deflate)
mark_as_advanced(LibDeflate_INCLUDE_DIR LibDeflate_LIBRARY)

if(LibDeflate_INCLUDE_DIR)
  file(STRINGS "${LibDeflate_INCLUDE_DIR}/libdeflate.h" _line REGEX "define LIBDEFLATE_VERSION_STRING")
  if(_line MATCHES "\"([^\"]+)\"")
    set(LibDeflate_VERSION "${CMAKE_MATCH_1}")
  endif()
endif()

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(
  LibDeflate
  REQUIRED_VARS LibDeflate_LIBRARY LibDeflate_INCLUDE_DIR
  VERSION_VAR LibDeflate_VERSION
  REASON_FAILURE_MESSAGE "Debian's package is libdeflate-dev")

if(LibDeflate_FOUND AND NOT TARGET LibDeflate::LibDeflate)
  add_library(LibDeflate::LibDeflate UNKNOWN IMPORTED)
  set_target_properties(
    LibDeflate::LibDeflate PROPERTIES IMPORTED_LOCATION "${LibDeflate_LIBRARY}"
                                      INTERFACE_INCLUDE_DIRECTORIES "${LibDeflate_INCLUDE_DIR}")
endif()
