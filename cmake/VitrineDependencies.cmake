# Every package vitrine needs, found in one place.
#
# LibTorch set up by ./dev lies in .deps/; one that CMAKE_PREFIX_PATH or LibTorch_ROOT names wins.
set(LibTorch_HINTS "${PROJECT_SOURCE_DIR}/.deps")

find_package(LibTorch 2.7 REQUIRED)
find_package(OpenCV 4.6 REQUIRED COMPONENTS core imgproc imgcodecs)
find_package(JPEG REQUIRED)
find_package(ZLIB REQUIRED)
find_package(LibDeflate 1.10 REQUIRED)
find_package(nlohmann_json 3.11 REQUIRED)
if(VITRINE_BUILD_APPS)
  find_package(cxxopts 3.0 REQUIRED)
endif()
if(VITRINE_BUILD_TESTS)
  find_package(GTest 1.12 REQUIRED)
endif()
