/* A picture whose red channel is the subject, and the model that finds it. */
#ifndef PAINTED_H
#define PAINTED_H

#include <remrembg.h>

#include "check.h"
#include "tiny.h"

enum { WIDTH = 16, HEIGHT = 8 };

/* The least alpha of the subject: resampling rings at the edge. */
enum { SUBJECT = 245 };
/* The subject's red, which is 240: where alpha is not quite 255, the blue is taken out of it. */
#define IS_RED(value) ((value) >= 238 && (value) <= 250)

/* Left half red, which is subject; right half blue, which is not. */
static inline void paint(uint8_t *data, size_t stride, int layout)
{
    int bytes = layout == REMREMBG_LAYOUT_RGB8 || layout == REMREMBG_LAYOUT_BGR8 ? 3 : 4;
    int red = layout == REMREMBG_LAYOUT_BGR8 || layout == REMREMBG_LAYOUT_BGRA8 ? 2 : 0;
    for (int y = 0; y < HEIGHT; y++) {
        for (int x = 0; x < WIDTH; x++) {
            uint8_t *pixel = data + (size_t)y * stride + (size_t)(x * bytes);
            pixel[red] = x < WIDTH / 2 ? 240 : 0;
            pixel[1] = 0;
            pixel[2 - red] = x < WIDTH / 2 ? 0 : 240;
            if (bytes == 4) {
                pixel[3] = 255;
            }
        }
    }
}

static inline remrembg_remover *new_remover(void)
{
    remrembg_options *settings = tiny_settings();
    remrembg_remover *remover = NULL;
    CHECK(remrembg_remover_new(settings, &remover, NULL) == REMREMBG_OK);
    remrembg_options_free(settings);
    return remover;
}

static inline remrembg_options *new_options(const char *key, const char *value)
{
    remrembg_options *options = remrembg_options_new();
    CHECK(remrembg_options_set(options, key, value, NULL) == REMREMBG_OK);
    return options;
}

#endif
