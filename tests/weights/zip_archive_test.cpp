#include "weights/zip_archive.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "hostile_pth.h"
#include "pth_assembler.h"

namespace vitrine {
namespace {

using pickle::little;
using std::string_literals::operator""s;

/// Members that make a sound checkpoint, `parts` after them.
std::vector<ZipPart> with(const std::vector<ZipPart>& parts) {
  auto all = torch_parts(
      pickle::whole(pickle::dict({pickle::text("a"), pickle::vector("0", 1)})), {{"0", "abcd"}});
  all.insert(all.end(), parts.begin(), parts.end());
  return all;
}

void expect_refused(const std::vector<ZipPart>& parts, const std::string& cause) {
  expect_pth_refused(zip_bytes(with(parts)), cause);
}

void expect_ends_refused(const ZipEnds& ends, const std::string& cause) {
  expect_pth_refused(zip_bytes(with({}), ends), cause);
}

TEST(ZipArchive, TellsWhereTheBytesOfAMemberLie) {
  const auto bytes = zip_bytes({{"m/a", "first"}, {"m/b", ""}, {"m/c", "third"}});
  const detail::MemoryBytes source(bytes);
  const detail::ZipArchive archive(source, "m.pth");
  ASSERT_EQ(archive.size(), 3U);
  EXPECT_EQ(archive.name(2), "m/c");
  ASSERT_EQ(archive.find("m/c"), 2U);
  EXPECT_EQ(archive.find("m/d"), std::nullopt);
  const auto member = archive.locate(2);
  EXPECT_EQ(bytes.substr(member.begin, member.size), "third");
  EXPECT_EQ(member.crc, crc32_of("third"));
  EXPECT_EQ(archive.locate(1).size, 0U);
}

TEST(ZipArchive, MayBeEmpty) {
  const auto bytes = zip_bytes({});
  const detail::MemoryBytes source(bytes);
  EXPECT_EQ(detail::ZipArchive(source, "m.pth").size(), 0U);
}

TEST(ZipArchive, SkipsThePaddingInFrontOfBytes) {
  ZipPart part{"m/a", "bytes"};
  part.local_extra = "FB\x04\0ZZZZ"s;
  const auto bytes = zip_bytes({part});
  const detail::MemoryBytes source(bytes);
  const auto member = detail::ZipArchive(source, "m.pth").locate(0);
  EXPECT_EQ(bytes.substr(member.begin, member.size), "bytes");
}

TEST(ZipArchive, MayHaveAZip64EndRecord) {
  ZipEnds ends;
  ends.zip64 = true;
  read_everything(open_bytes(zip_bytes(with({}), ends)));
}

TEST(ZipArchive, MayHaveZip64Sizes) {
  ZipPart part{"m/a", "bytes"};
  part.size = 0xFFFFFFFF;
  part.header = 0xFFFFFFFF;
  part.directory_extra =
      "\x07\0\x01\0x"s + "\x01\0\x18\0"s + little(5, 8) + little(5, 8) + little(0, 8);
  part.local_size = 0xFFFFFFFF;
  part.local_crc = crc32_of("bytes");
  part.local_extra = "\x01\0\x10\0"s + little(5, 8) + little(5, 8);
  const auto bytes = zip_bytes({part});
  const detail::MemoryBytes source(bytes);
  const auto member = detail::ZipArchive(source, "m.pth").locate(0);
  EXPECT_EQ(bytes.substr(member.begin, member.size), "bytes");
}

TEST(ZipArchive, RefusesZip64SizesThatAreMissing) {
  ZipPart part{"m/data/1", "bytes"};
  part.size = 0xFFFFFFFF;
  expect_refused({part}, "lacks the Zip64 field");
  part.directory_extra = "\x01\0\x08\0"s + little(5, 8);  // of two
  expect_refused({part}, "lacks the Zip64 field");
  part.directory_extra = "\x01\0\x20\0"s + little(5, 8) + little(5, 8);  // shorter than it says
  expect_refused({part}, "lacks the Zip64 field");
}

TEST(ZipArchive, RefusesZip64SizesOutsideTheFile) {
  for (const auto size : {std::uint64_t{1} << 40, ~std::uint64_t{0}, ~std::uint64_t{0} - 100}) {
    ZipPart part{"m/data/1", "bytes"};
    part.size = 0xFFFFFFFF;
    part.directory_extra = "\x01\0\x10\0"s + little(size, 8) + little(size, 8);
    expect_refused({part}, "outside the file's members");
    part.size = 5;
    part.header = 0xFFFFFFFF;
    part.directory_extra = "\x01\0\x08\0"s + little(size, 8);
    expect_refused({part}, "outside the file's members");
  }
}

TEST(ZipArchive, RefusesCompressionAndEncryption) {
  ZipPart part{"m/data/1", "bytes"};
  part.method = 8;
  expect_refused({part}, "'m/data/1' of the zip archive is compressed, by method 8");
  part.method = 0;
  for (const std::uint64_t flags : {0x0001, 0x0040, 0x2000}) {
    part.flags = flags;
    expect_refused({part}, "is encrypted");
  }
}

/// A member that is compressed: 9 bytes of a text of 4000.
ZipPart compressed(const std::string& name) {
  ZipPart part{name, "\x4B\x4C\x1C\x05\xA3\x60\x24\x03\0"s};
  part.method = part.local_method = 8;
  part.size = 4000;
  part.stored_size = part.bytes.size();
  return part;
}

TEST(ZipArchive, TellsWhatItIsThoughMembersAreCompressed) {
  auto script = with({compressed("m/code/__torch__/m.py"), {"m/constants.pkl", ""}});
  expect_pth_refused(zip_bytes(script), "is a TorchScript archive, which is a program");
  expect_pth_refused(zip_bytes({compressed("a.npy")}), "is a numpy archive (.npz)");
  expect_pth_refused(zip_bytes({compressed("a.txt")}), "is a zip archive without a data.pkl");
  expect_refused(
      {compressed("m/data/1")}, "'m/data/1' of the zip archive is compressed, by method 8");
  auto cut = compressed("m/data/1");
  cut.stored_size = 0xFFFFFF;
  expect_refused({cut}, "outside the file's members");
}

TEST(ZipArchive, RefusesSizesThatContradictEachOther) {
  ZipPart part{"m/data/1", "bytes"};
  part.stored_size = 4;
  expect_refused({part}, "has 4 stored bytes for a size of 5");
}

TEST(ZipArchive, RefusesNamesThatComeTwice) {
  expect_refused({{"m/data/0", "efgh"}}, "'m/data/0' of the zip archive is there twice");
  expect_refused({{"m/x", ""}, {"m/x", ""}}, "'m/x' of the zip archive is there twice");
}

TEST(ZipArchive, RefusesUnsafeNames) {
  for (const auto& name : {"m/../x"s, "/m/x"s, ".."s, "m\\x"s, ""s, "m/\0x"s}) {
    expect_refused({{name, ""}}, "has an unsafe name");
  }
}

TEST(ZipArchive, RefusesPlacesOutsideTheFile) {
  ZipPart part{"m/data/1", "bytes"};
  part.header = 0xFFFFFFFE;
  expect_refused({part}, "outside the file's members");
  part.header.reset();
  part.size = 0xFFFFFFFE;
  expect_refused({part}, "outside the file's members");
}

TEST(ZipArchive, RefusesMembersThatOverlap) {
  ZipPart part{"m/data/1", "bytes"};
  part.header = 0;
  expect_refused({part}, "overlaps with what follows it");
  part.header = 10;
  expect_refused({part}, "overlaps with what follows it");
  // One that covers another.
  ZipPart large{"m/data/1", "bytes"};
  large.size = 60;
  expect_refused({large, {"m/data/2", std::string(100, 'x')}}, "overlaps with what follows it");
  // So that only the length of the header in front of it shows it.
  auto parts = torch_parts(pickle::whole(pickle::vector("0", 1)), {{"0", "abcd"}});
  parts[1].local_extra = "";
  auto bytes = zip_bytes(parts);
  bytes[bytes.find("m/data/0") - 2] = 100;
  expect_pth_refused(bytes, "overlaps with what follows it");
}

TEST(ZipArchive, RefusesAHeaderThatContradictsTheDirectory) {
  const auto refuse = [](const ZipPart& part, const std::string& cause) {
    expect_pth_refused(
        zip_bytes(
            {{"m/data.pkl",
              pickle::whole(pickle::dict({pickle::text("a"), pickle::vector("0", 1)}))},
             part}),
        cause);
  };
  ZipPart part{"m/data/0", "abcd"};
  part.local_name = "m/data/1";
  refuse(part, "has no header of its name");
  part.local_name = "m/data/00";
  refuse(part, "has no header of its name");
  part.local_name.reset();
  part.local_method = 8;
  refuse(part, "has a header that contradicts the zip directory");
  part.local_method = 0;
  part.local_size = 3;
  refuse(part, "has a header that contradicts the zip directory");
  part.local_size = 4;
  part.local_crc = 1;
  refuse(part, "has a header that contradicts the zip directory");
  part.local_size = 0;
  part.local_crc = 0;
  part.flags = 0;  // no sizes follow, so that 0 means 0
  refuse(part, "has a header that contradicts the zip directory");
  part.local_size = 0xFFFFFFFF;
  refuse(part, "lacks the Zip64 field");
}

TEST(ZipArchive, RefusesBytesBeforeTheFirstMember) {
  // As of a self-extracting archive; the first bytes are those of a member nevertheless.
  const auto bytes = zip_bytes(with({}));
  const std::string prefix = "PK\x03\x04" + std::string(60, 'x');
  auto parts = with({});
  std::uint64_t place = prefix.size();
  for (auto& part : parts) {
    part.header = place;
    place += 30 + part.name.size() + part.bytes.size();
  }
  ZipEnds ends;
  ends.begin = place;
  expect_pth_refused(prefix + zip_bytes(parts, ends), "something was put before the archive");
  expect_pth_refused(prefix + bytes, "its zip directory is said to be");
  expect_pth_refused("#!/bin/sh\n" + bytes, "is no PyTorch checkpoint");
}

TEST(ZipArchive, RefusesBytesAfterTheEndRecord) {
  const auto bytes = zip_bytes(with({}));
  expect_pth_refused(bytes + '\0', "does not end with its end record");
  auto with_comment = bytes + std::string(1000, 'c');
  with_comment[bytes.size() - 2] = static_cast<char>(1000 & 0xFF);
  with_comment[bytes.size() - 1] = static_cast<char>(1000 >> 8);
  expect_pth_refused(with_comment, "or a comment");
  // A comment that holds an end record of its own.
  expect_pth_refused(with_comment + zip_end(0, 0, 0, {}), "its zip directory is said to be");
}

TEST(ZipArchive, RefusesADirectoryThatIsElsewhere) {
  ZipEnds ends;
  ends.begin = 0xFFFFFFF0;
  expect_ends_refused(ends, "its zip directory is said to be");
  ends.begin = 0;
  expect_ends_refused(ends, "its zip directory is said to be");
  ends = {};
  ends.size = 0xFFFFFFF0;
  expect_ends_refused(ends, "its zip directory is said to be");
  ends = {};
  ends.gap = "x";
  expect_ends_refused(ends, "its zip directory is said to be");
  ends = {};
  ends.zip64 = true;
  ends.begin = ~std::uint64_t{0};
  expect_ends_refused(ends, "its zip directory is said to be");
  ends.begin.reset();
  ends.size = ~std::uint64_t{0};
  expect_ends_refused(ends, "its zip directory is said to be");
}

TEST(ZipArchive, RefusesAWrongNumberOfMembers) {
  ZipEnds ends;
  ends.count = 2;
  expect_ends_refused(ends, "bytes more than its 2 members need");
  ends.count = 5;
  expect_pth_refused(
      zip_bytes(with({{"m/" + std::string(100, 'x'), ""}}), ends), "entry 4 of its zip directory");
  ends.count = 0xFFFE;
  expect_ends_refused(ends, "said to have 65534 members, too many");
  ends.zip64 = true;
  for (const auto count : {std::uint64_t{1} << 30, ~std::uint64_t{0}}) {
    ends.count = count;
    expect_ends_refused(ends, "members, too many");
  }
}

TEST(ZipArchive, RefusesDamagedEndRecords) {
  ZipEnds ends;
  ends.zip64 = true;
  for (const std::uint64_t place : {std::uint64_t{0}, ~std::uint64_t{0}, std::uint64_t{1} << 40}) {
    ends.zip64_begin = place;
    expect_ends_refused(ends, place == 0 ? "Zip64 end record is damaged" : "out of place");
  }
  ends = {};
  ends.disk = 1;
  expect_ends_refused(ends, "several disks");
  ends.zip64 = true;
  expect_ends_refused(ends, "several disks");
  auto bytes = zip_bytes(with({}), [] {
    ZipEnds wide;
    wide.zip64 = true;
    return wide;
  }());
  bytes[bytes.size() - 12] = '\x01';  // the plain record's number of members
  bytes[bytes.size() - 14] = '\x01';
  bytes[bytes.size() - 11] = bytes[bytes.size() - 13] = '\0';
  expect_pth_refused(bytes, "contradict each other");
}

TEST(ZipArchive, IsRefusedAtEveryLength) {
  const auto bytes = zip_bytes(with({}));
  ASSERT_NO_THROW(read_everything(open_bytes(bytes)));
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    SCOPED_TRACE(size);
    expect_refusal<CheckpointError>(
        [&] { read_everything(open_bytes(bytes.substr(0, size))); },
        "m.pth: ",
        {size == 0  ? "is empty"
         : size < 4 ? "is no PyTorch checkpoint"
                    : "does not end with its end record: it is cut short"});
  }
}

TEST(ZipArchive, IsRefusedCheaplyHoweverManyMembersItHas) {
  std::vector<ZipPart> small;
  std::vector<ZipPart> shared;
  for (int i = 0; i < 12'000; ++i) {
    small.push_back({std::to_string(i), ""});
  }
  for (int i = 0; i < 18'000; ++i) {
    shared.push_back({std::to_string(i), ""});
    shared.back().header = 0;
  }
  expect_pth_refused(zip_bytes(small), "without a data.pkl");
  small.push_back({"11999", ""});
  expect_pth_refused(zip_bytes(small), "there twice");
  auto directory_alone = zip_bytes(shared);
  expect_pth_refused(directory_alone, "overlaps");
}

TEST(ZipArchive, QuotesNamesWithoutControlCharacters) {
  expect_refused({{"m/\x1b[31m\n..", ""}}, "'m/\\x1b[31m\\x0a..' of the zip archive");
  expect_refused({{std::string(60'000, 'a') + "..", ""}}, "aaa...'");
}

}  // namespace
}  // namespace vitrine
