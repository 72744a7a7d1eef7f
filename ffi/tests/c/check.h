/* The checks of the test programs: a failed one is told and the rest goes on. */
#ifndef CHECK_H
#define CHECK_H

#include <stdio.h>
#include <string.h>

static int failures = 0;

#define CHECK(condition)                                                          \
    do {                                                                          \
        if (!(condition)) {                                                       \
            failures++;                                                           \
            fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition); \
        }                                                                         \
    } while (0)

#define CHECK_TEXT(got, expected) check_text(__FILE__, __LINE__, got, expected)

static inline void check_text(const char *file, int line, const char *got, const char *expected)
{
    if (got == NULL || strcmp(got, expected) != 0) {
        failures++;
        fprintf(stderr, "%s:%d: got %s\n    expected %s\n", file, line, got == NULL ? "NULL" : got, expected);
    }
}

/* What main() returns. */
static inline int checked(void)
{
    return failures == 0 ? 0 : 1;
}

#endif
