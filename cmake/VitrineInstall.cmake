# cmake --install: the library, its headers, the program, and the package that find_package(vitrine)
# reads. The package names LibTorch and OpenCV as targets and finds them again on the machine it is used on.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(_package_dir "${CMAKE_INSTALL_LIBDIR}/cmake/vitrine")

# The run path finds the library beside the program, and LibTorch where it lay for the build (named here, since
# CMake's own INSTALL_RPATH_USE_LINK_PATH leaves out what lies within the sources, as .deps/ does).
file(RELATIVE_PATH _bin_to_lib "/${CMAKE_INSTALL_BINDIR}" "/${CMAKE_INSTALL_LIBDIR}")
set_target_properties(vitrine PROPERTIES INSTALL_RPATH "$ORIGIN;${LibTorch_LIBRARY_DIR}")
install(TARGETS vitrine EXPORT vitrine-targets)
if(TARGET vitrine_program)
  set_target_properties(vitrine_program PROPERTIES INSTALL_RPATH
                                                   "$ORIGIN/${_bin_to_lib};${LibTorch_LIBRARY_DIR}")
  install(TARGETS vitrine_program)
endif()

install(DIRECTORY "${PROJECT_SOURCE_DIR}/include/vitrine" DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}"
        FILES_MATCHING PATTERN "*.h")
install(FILES "${PROJECT_BINARY_DIR}/include/vitrine/export.h"
        DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}/vitrine")

install(EXPORT vitrine-targets NAMESPACE vitrine:: DESTINATION "${_package_dir}")
string(REGEX MATCH "^([0-9]+)\\.([0-9]+)" _minor "${LibTorch_VERSION}")
math(EXPR _next "${CMAKE_MATCH_2} + 1")
set(VITRINE_LIBTORCH_RANGE "${_minor}...<${CMAKE_MATCH_1}.${_next}")
configure_package_config_file("${CMAKE_CURRENT_LIST_DIR}/vitrine-config.cmake.in"
                              "${PROJECT_BINARY_DIR}/vitrine-config.cmake"
                              INSTALL_DESTINATION "${_package_dir}")
write_basic_package_version_file("${PROJECT_BINARY_DIR}/vitrine-config-version.cmake"
                                 COMPATIBILITY SameMinorVersion)
install(FILES "${PROJECT_BINARY_DIR}/vitrine-config.cmake"
              "${PROJECT_BINARY_DIR}/vitrine-config-version.cmake"
              "${CMAKE_CURRENT_LIST_DIR}/FindLibTorch.cmake" "${CMAKE_CURRENT_LIST_DIR}/FindLibDeflate.cmake"
        DESTINATION "${_package_dir}")
