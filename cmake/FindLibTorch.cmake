# FindLibTorch: the CPU part of LibTorch, as the imported target LibTorch::LibTorch.
#
# LibTorch's own CMake package needs the CUDA toolkit wherever LibTorch was built for CUDA, and links
# libtorch_cuda into every program. This module links c10 and torch_cpu alone; vitrine opens
# libtorch_cuda when it runs, where there is a driver (vitrine/device.h).
#
# Searched, in this order: LibTorch_ROOT, CMAKE_PREFIX_PATH (a variable or of the environment), and
# LibTorch_HINTS. Each may name an unpacked LibTorch folder or the folder torch of a wheel
# (lib/libtorch_cpu.so), or a Python environment's site-packages (torch/lib/libtorch_cpu.so).
#
# Sets LibTorch_FOUND, LibTorch_VERSION, LibTorch_LIBRARY_DIR and LibTorch_INCLUDE_DIRS.

find_library(LibTorch_CPU_LIBRARY NAMES torch_cpu HINTS ${LibTorch_HINTS} PATH_SUFFIXES lib torch/lib)
mark_as_advanced(LibTorch_CPU_LIBRARY)

if(LibTorch_CPU_LIBRARY)
  get_filename_component(LibTorch_LIBRARY_DIR "${LibTorch_CPU_LIBRARY}" DIRECTORY)
  get_filename_component(_libtorch_root "${LibTorch_LIBRARY_DIR}" DIRECTORY)
  find_library(LibTorch_C10_LIBRARY NAMES c10 HINTS "${LibTorch_LIBRARY_DIR}" NO_DEFAULT_PATH)
  find_path(LibTorch_INCLUDE_DIR NAMES torch/csrc/api/include/torch/torch.h
            HINTS "${_libtorch_root}/include" NO_DEFAULT_PATH)
  mark_as_advanced(LibTorch_C10_LIBRARY LibTorch_INCLUDE_DIR)

  # The version macros moved between releases; the first header that has them decides.
  foreach(_header torch/headeronly/version.h torch/csrc/api/include/torch/version.h)
    if(NOT LibTorch_VERSION AND EXISTS "${LibTorch_INCLUDE_DIR}/${_header}")
      file(STRINGS "${LibTorch_INCLUDE_DIR}/${_header}" _lines REGEX "define TORCH_VERSION_(MAJOR|MINOR|PATCH) ")
      if(_lines MATCHES "MAJOR ([0-9]+).*MINOR ([0-9]+).*PATCH ([0-9]+)")
        set(LibTorch_VERSION "${CMAKE_MATCH_1}.${CMAKE_MATCH_2}.${CMAKE_MATCH_3}")
      endif()
    endif()
  endforeach()
endif()

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(
  LibTorch
  REQUIRED_VARS LibTorch_CPU_LIBRARY LibTorch_C10_LIBRARY LibTorch_INCLUDE_DIR
  VERSION_VAR LibTorch_VERSION HANDLE_VERSION_RANGE
  REASON_FAILURE_MESSAGE
    "set CMAKE_PREFIX_PATH to a LibTorch folder or to a Python environment's site-packages (in vitrine's sources, ./dev setup fetches one)")

if(LibTorch_FOUND)
  set(LibTorch_INCLUDE_DIRS
      "${LibTorch_INCLUDE_DIR}" "${LibTorch_INCLUDE_DIR}/torch/csrc/api/include")
  if(NOT TARGET LibTorch::LibTorch)
    find_package(Threads REQUIRED)
    add_library(LibTorch::c10 SHARED IMPORTED)
    set_target_properties(LibTorch::c10 PROPERTIES IMPORTED_LOCATION "${LibTorch_C10_LIBRARY}")
    add_library(LibTorch::LibTorch SHARED IMPORTED)
    set_target_properties(LibTorch::LibTorch PROPERTIES IMPORTED_LOCATION "${LibTorch_CPU_LIBRARY}")
    target_include_directories(LibTorch::LibTorch SYSTEM INTERFACE ${LibTorch_INCLUDE_DIRS})
    # A CUDA build of libtorch_cpu names CUDA libraries that it finds by its own run path.
    target_link_libraries(LibTorch::LibTorch INTERFACE LibTorch::c10 Threads::Threads ${CMAKE_DL_LIBS})
    target_link_options(LibTorch::LibTorch INTERFACE "LINKER:--allow-shlib-undefined")
  endif()
endif()
