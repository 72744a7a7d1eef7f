/* A removal that can run on a thread of its own, of a small picture. Needs <pthread.h>. */
#ifndef REMOVAL_H
#define REMOVAL_H

#include <pthread.h>
#include <remrembg.h>

#include "check.h"
#include "tiny.h"

enum { WIDTH = 96, HEIGHT = 64 };

/* Longer than all of it takes under valgrind: whoever hangs is stopped. */
enum { PATIENCE_SECONDS = 300 };

static inline remrembg_pixels new_picture(uint32_t width, uint32_t height)
{
    size_t size = (size_t)width * height * 3;
    uint8_t *data = malloc(size);
    remrembg_pixels pixels = {data, size, width, height, 0, REMREMBG_LAYOUT_RGB8};
    for (size_t i = 0; i < size; i++) {
        data[i] = (uint8_t)(i * 31 >> 4);
    }
    return pixels;
}

/* in_flight: how many removals may be under way at once. */
static inline remrembg_remover *new_remover(const char *in_flight)
{
    remrembg_options *settings = tiny_settings();
    remrembg_remover *remover = NULL;
    remrembg_options_set(settings, "in_flight", in_flight, NULL);
    if (remrembg_remover_new(settings, &remover, NULL) != REMREMBG_OK) {
        fprintf(stderr, "no remover\n");
        exit(2);
    }
    remrembg_options_free(settings);
    return remover;
}

/* Options with which every stage runs but that which turns a picture upright. */
static inline remrembg_options *new_options(void)
{
    remrembg_options *options = remrembg_options_new();
    remrembg_options_set(options, "format", "png", NULL);
    remrembg_options_set(options, "w", "48", NULL);
    remrembg_options_set(options, "angle", "30", NULL);
    remrembg_options_set(options, "bg_color", "teal", NULL);
    return options;
}

/* A removal on a thread of its own, and what came of it. */
struct removal {
    const remrembg_remover *remover;
    const remrembg_options *options;
    const remrembg_pixels *pixels;
    pthread_t thread;
    remrembg_code code;
    remrembg_output *output;
};

static inline void *remove_once(void *argument)
{
    struct removal *removal = argument;
    removal->code =
        remrembg_remove_pixels(removal->remover, removal->pixels, removal->options, NULL, &removal->output, NULL);
    return NULL;
}

static inline int works(const remrembg_remover *remover)
{
    remrembg_pixels pixels = new_picture(WIDTH, HEIGHT);
    struct removal removal = {.remover = remover, .pixels = &pixels};
    remove_once(&removal);
    remrembg_output_free(removal.output);
    free((void *)pixels.data);
    return removal.code == REMREMBG_OK;
}

#endif
