#include <iostream>

#include "vitrine/infer/predictor.h"

int main(int count, char** arguments) {
  if (count != 3) {
    std::cerr << "usage: consumer MODEL IMAGE\n";
    return 2;
  }
  const auto predictor = vitrine::Predictor::from_file(arguments[1]);
  for (const auto& prediction : predictor.classify(arguments[2], /*top_k=*/1)) {
    std::cout << prediction.label << '\n';
  }
}
