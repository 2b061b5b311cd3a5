# Installs vitrine into a clean prefix; then builds the README's own example against it and lets that classify an image.
# Run with: cmake -D SOURCE_DIR= -D BUILD_DIR= -D WORK_DIR= -D LIBTORCH= -D COMPILER= -D BUILD_TYPE= -D FLAGS=
#                 -D WEIGHTS= -D IMAGE= -D LABEL= -P install_test.cmake
cmake_minimum_required(VERSION 3.22)

function(run)
  execute_process(COMMAND ${ARGV} RESULT_VARIABLE status OUTPUT_VARIABLE output ERROR_VARIABLE output)
  if(NOT status EQUAL 0)
    list(JOIN ARGV " " command)
    message(FATAL_ERROR "${command}\nleft with ${status}:\n${output}")
  endif()
  set(output "${output}" PARENT_SCOPE)
endfunction()

# Writes the first block of `language` in the README to `file`.
function(extract language file)
  file(READ "${SOURCE_DIR}/README.md" text)
  string(FIND "${text}" "```${language}\n" fence)
  if(fence EQUAL -1)
    message(FATAL_ERROR "the README has no block of ${language}")
  endif()
  string(SUBSTRING "${text}" "${fence}" -1 text)
  string(FIND "${text}" "\n" start)
  string(FIND "${text}" "\n```" end)
  math(EXPR length "${end} - ${start}")
  string(SUBSTRING "${text}" "${start}" "${length}" text)
  file(WRITE "${file}" "${text}\n")
endfunction()

file(REMOVE_RECURSE "${WORK_DIR}")
extract(cmake "${WORK_DIR}/consumer/CMakeLists.txt")
extract(cpp "${WORK_DIR}/consumer/main.cpp")
run("${CMAKE_COMMAND}" --install "${BUILD_DIR}" --prefix "${WORK_DIR}/first")
# A package that names no place of its own works wherever it is moved to.
file(RENAME "${WORK_DIR}/first" "${WORK_DIR}/prefix")

file(GLOB_RECURSE package_files "${WORK_DIR}/prefix/*.cmake")
if(NOT package_files)
  message(FATAL_ERROR "no package file is installed")
endif()
foreach(file IN LISTS package_files)
  file(READ "${file}" text)
  foreach(path IN ITEMS "${SOURCE_DIR}" "${BUILD_DIR}" "${WORK_DIR}" "${LIBTORCH}")
    string(FIND "${text}" "${path}" place)
    if(NOT place EQUAL -1)
      message(SEND_ERROR "${file} names ${path}")
    endif()
  endforeach()
endforeach()

run("${CMAKE_COMMAND}" -G Ninja -S "${WORK_DIR}/consumer" -B "${WORK_DIR}/build"
    "-DCMAKE_PREFIX_PATH=${WORK_DIR}/prefix\\;${LIBTORCH}" "-DCMAKE_CXX_COMPILER=${COMPILER}"
    "-DCMAKE_BUILD_TYPE=${BUILD_TYPE}" "-DCMAKE_CXX_FLAGS=${FLAGS}")
run("${CMAKE_COMMAND}" --build "${WORK_DIR}/build")
run("${WORK_DIR}/build/consumer" "${WEIGHTS}" "${IMAGE}")
if(NOT output MATCHES "^${LABEL} ")
  message(FATAL_ERROR "the consumer says '${output}' of ${IMAGE}, not '${LABEL}' first")
endif()
if(EXISTS "${BUILD_DIR}/bin/vitrine")
  run("${WORK_DIR}/prefix/bin/vitrine" --version)
endif()
