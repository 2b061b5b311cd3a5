#include "vitrine/text.h"

#include <gtest/gtest.h>

#include <string>

#include "vitrine/error.h"

namespace vitrine {
namespace {

TEST(Printable, EscapesWhatATerminalWouldObey) {
  EXPECT_EQ(printable("a\nb\x1b[2J"), "a\\x0ab\\x1b[2J");
  EXPECT_EQ(printable(std::string("nul\0", 4)), "nul\\x00");
  EXPECT_EQ(printable("\xC2\x9B"), "\\xc2\\x9b");  // CSI as one UTF-8 character
}

TEST(Printable, KeepsUtf8AndEscapesWhatIsNot) {
  EXPECT_EQ(printable("größe 猫"), "größe 猫");
  EXPECT_EQ(printable("\xFF\xC3"), "\\xff\\xc3");
  EXPECT_EQ(printable("\xED\xA0\x80"), "\\xed\\xa0\\x80");  // a surrogate
}

TEST(Printable, EscapesWhatTurnsTheDirectionOrEndsALine) {
  EXPECT_EQ(printable("a\u202Egnp.exe"), "a\\xe2\\x80\\xaegnp.exe");
  for (const auto* text :
       {"\u2028",
        "\u2029",
        "\u202A",
        "\u202B",
        "\u202C",
        "\u202D",
        "\u202E",
        "\u2066",
        "\u2067",
        "\u2068",
        "\u2069"}) {
    EXPECT_EQ(printable(text).rfind("\\xe2\\x8", 0), 0U) << text;
  }
  for (const auto* text : {"\u2027", "\u202F", "\u2065", "\u206A", "\u20AC"}) {
    EXPECT_EQ(printable(text), text);
  }
}

TEST(Printable, CutsLongText) {
  EXPECT_EQ(printable("abcdef", 3), "abc...");
  EXPECT_EQ(printable("abc", 3), "abc");
}

TEST(NearestNames, FindsATypingError) {
  const std::vector<std::string> names = {"classify", "train", "evaluate", "models"};
  EXPECT_EQ(nearest_names("clasify", names), std::vector<std::string>{"classify"});
  EXPECT_EQ(nearest_names("tarin", names).front(), "train");
}

TEST(NearestNames, GivesNoneWhenNothingIsNear) {
  EXPECT_TRUE(nearest_names("qqqqqqqq", {"classify", "train"}).empty());
  EXPECT_TRUE(nearest_names("", {"classify"}).empty());
}

TEST(Wildcard, MatchesStarsAndQuestionMarks) {
  EXPECT_TRUE(matches_wildcard("swin_tiny_patch4", "swin*"));
  EXPECT_TRUE(matches_wildcard("swin_tiny_patch4", "*tiny*4"));
  EXPECT_TRUE(matches_wildcard("abc", "a?c"));
  EXPECT_TRUE(matches_wildcard("", "*"));
  EXPECT_FALSE(matches_wildcard("vit_tiny", "swin*"));
  EXPECT_FALSE(matches_wildcard("abc", "a?"));
}

TEST(UnknownNameError, SuggestsTheNearest) {
  const UnknownNameError error("model", "vit_tny", {"vit_tiny", "swin_tiny"});
  EXPECT_STREQ(error.what(), "unknown model 'vit_tny'; the nearest: vit_tiny, swin_tiny");
}

}  // namespace
}  // namespace vitrine
