/* A model that takes a millisecond: its matte is the picture's red channel. */
#ifndef TINY_H
#define TINY_H

#include <remrembg.h>
#include <stdio.h>
#include <stdlib.h>

/* Settings for it, on the engine inside. */
static inline remrembg_options *tiny_settings(void)
{
    remrembg_options *settings = remrembg_options_new();
    const char *model = getenv("REMREMBG_TEST_MODEL");
    if (model == NULL) {
        fprintf(stderr, "REMREMBG_TEST_MODEL names no model\n");
        exit(2);
    }
    remrembg_options_set(settings, "model", model, NULL);
    remrembg_options_set(settings, "model_recipe", "size=8", NULL);
    remrembg_options_set(settings, "engine", "rten", NULL);
    return settings;
}

#endif
