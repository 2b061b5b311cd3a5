# The program calls nothing of LibTorch that runs what a pickle says, by itself or through a header.
# Run with: cmake -D NM=<nm> -D PROGRAM=<file> -P symbols_test.cmake
execute_process(
  COMMAND "${NM}" --demangle --undefined-only "${PROGRAM}"
  OUTPUT_VARIABLE symbols RESULT_VARIABLE status)
if(NOT status EQUAL 0 OR NOT symbols MATCHES "c10::|at::")
  message(FATAL_ERROR "'${NM}' shows no symbol of LibTorch in '${PROGRAM}'")
endif()
string(REGEX MATCHALL "[^\n]*(torch::load|jit::load|jit::import|pickle_load|unpickle|Unpickler|load_from)[^\n]*"
       found "${symbols}")
if(found)
  list(JOIN found "\n" found)
  message(FATAL_ERROR "the program reads pickles:\n${found}")
endif()
