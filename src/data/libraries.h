/* libraries.h - the versions of the libraries that read text, as they run (not as compiled). */
#ifndef DATA_LIBRARIES_H
#define DATA_LIBRARIES_H

typedef struct DataLibraries {
    const char *zlib, *zstd, *pcre2;
} DataLibraries;

/* The strings live as long as the program. */
DataLibraries data_libraries(void);

#endif
