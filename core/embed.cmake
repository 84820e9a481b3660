# Writes the C file OUT that defines `const struct sk_embedded_file NAME[]`, one row for each of
# FILES, closed by a row of NULL. Run with cmake -P.
set(text "/* Made by core/embed.cmake from the files named below. */\n#include \"core/embed.h\"\n\n")
set(rows "")
set(i 0)
foreach(file IN LISTS FILES)
    file(READ ${file} hex HEX)
    string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${hex}")
    string(REGEX REPLACE "(0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,)"
                         "\\1\n" bytes "${bytes}")
    get_filename_component(base ${file} NAME)
    string(APPEND text "static const unsigned char file_${i}[] = {\n${bytes}0x00};\n\n")
    string(APPEND rows "    {\"${base}\", (const char *)file_${i}, sizeof(file_${i}) - 1},\n")
    math(EXPR i "${i} + 1")
endforeach()
string(APPEND text "const struct sk_embedded_file ${NAME}[] = {\n${rows}    {0, 0, 0},\n};\n")
file(WRITE ${OUT} "${text}")
