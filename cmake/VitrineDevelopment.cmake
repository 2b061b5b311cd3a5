# How vitrine's own sources are compiled: warnings, sanitizers, ccache, hidden symbols. The target
# vitrine_development is linked privately and never exported, so that consumers see none of it.
add_library(vitrine_development INTERFACE)
target_compile_options(
  vitrine_development
  INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual -Wconversion
            -Wno-sign-conversion $<$<BOOL:${VITRINE_WERROR}>:-Werror>)
if(VITRINE_SANITIZE)
  target_compile_options(
    vitrine_development INTERFACE -fsanitize=${VITRINE_SANITIZE} -fno-sanitize-recover=all
                                  -fno-omit-frame-pointer
                                  # GCC takes what the sanitizers put in for reads of what was never written.
                                  $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>)
  target_link_options(vitrine_development INTERFACE -fsanitize=${VITRINE_SANITIZE})
endif()

set(CMAKE_CXX_VISIBILITY_PRESET hidden)
set(CMAKE_VISIBILITY_INLINES_HIDDEN ON)

find_program(VITRINE_CCACHE ccache)
mark_as_advanced(VITRINE_CCACHE)
if(PROJECT_IS_TOP_LEVEL AND VITRINE_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  # Precompiled headers carry time stamps and macros, which ccache must be told to overlook.
  set(CMAKE_CXX_COMPILER_LAUNCHER
      "${CMAKE_COMMAND}" -E env CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime
      "${VITRINE_CCACHE}")
endif()

# vitrine_reuse_precompiled(TARGET): compile TARGET with the library's precompiled LibTorch headers.
# They fit only code compiled alike, hence -fPIC here as in the library.
function(vitrine_reuse_precompiled target)
  target_compile_options(${target} PRIVATE -fPIC)
  if(VITRINE_PRECOMPILE)
    target_precompile_headers(${target} REUSE_FROM vitrine)
  endif()
endfunction()
