"""The library: a model on an engine, and the removals it does."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Dict, Optional, overload

from remrembg import _batch, _engine, _found, _pictures, _values
from remrembg._loaded import Loaded, Task

if TYPE_CHECKING:
    from typing import (
        AsyncGenerator,
        AsyncIterable,
        Generator,
        Iterable,
        Literal,
        NoReturn,
        Sequence,
        TypeVar,
        Union,
    )

    from PIL.Image import Image
    from typing_extensions import Unpack

    from remrembg._batch import Outcome
    from remrembg._remrembg import CancelToken
    from remrembg._types import (
        AnyArray,
        Array,
        Color,
        Compression,
        CutOutOptions,
        Encoded,
        Flag,
        Flat,
        Integer,
        Matte,
        Number,
        OnFound,
        Preset,
        Progress,
        Regions,
        RemoveOptions,
        RmbgOptions,
        Source,
    )

    AnyEncoded = TypeVar("AnyEncoded", bound=Encoded)
    AnySource = TypeVar("AnySource", bound=Source)


class Remover:
    """A model on an engine: made once, used for many pictures, by any number of threads.

    Loading takes tens to hundreds of milliseconds. One inference runs at a time, on `threads`
    threads; decoding and encoding of other pictures go on beside it, and no more than
    `in_flight` pictures are worked on at once, within `memory`. The interpreter is free for other Python threads
    all the while.

    After a `fork` the child loads the model anew when it first needs it. A remover pickles as
    its settings, and its copy loads the model anew too, so Ray, Dask, Spark and multiprocessing
    can ship it.

    Settings are numbers or text.

    :param model: The model that finds the subject. Other models than the default are fetched
        beforehand. Accepted: a model's name, or the path of an ONNX file. Default: u2netp.
    :param model_recipe: How to feed an ONNX file of your own. Accepted: pairs as `size=320x320
        mean=0.485,0.456,0.406 std=1 scale=max output=minmax`. Default: that of the model.
    :param engine: What runs the model: native, our own, for the bundled one; for others ONNX
        Runtime where one is found, else rten. native and rten are inside. Accepted: auto,
        onnxruntime, rten, native. Default: auto.
    :param providers: What ONNX Runtime computes on, by preference; auto is CUDA, ROCm or OpenVINO
        where it can be had, else the CPU. Accepted: auto, or names of cpu, cuda, rocm, openvino,
        coreml and directml with commas between them. Default: auto.
    :param onnxruntime: An ONNX Runtime library, or a folder that holds one. Accepted: a path.
        Default: looked for.
    :param threads: Threads that work on one picture. Accepted: 0 to 1024. Default: 0, one for each
        core.
    :param in_flight: Removals that may run at once, from decoding to encoding; others wait for
        their turn. Accepted: 0 to 1024. Default: 0, one more than there are threads.
    :param memory: Memory in bytes that the running removals may take together, beside what the
        model takes; others wait, and one that needs more by itself is refused. Accepted: 0 to
        1099511627776. Default: 0, without a bound.
    :param max_bytes: Size of an encoded picture in bytes, above which it is refused. Accepted: 1 to
        1099511627776. Default: 52428800.
    :param max_side: Width and height of a picture as stored in pixels, above which it is refused.
        Accepted: 1 to 10000. Default: 10000.
    :param decode_memory: Memory in bytes that one decoder may take for its output and its own
        tables. Accepted: 1 to 1099511627776. Default: 1073741824.
    :raises ValidationError: a setting is wrong, or there is none of that name.
    :raises ModelError: the model is unknown, not on this machine or damaged.
    :raises EngineError: the engine asked for is not to be had.
    """

    def __init__(
        self,
        model: Optional[Union[str, os.PathLike[str]]] = None,
        engine: Optional[str] = None,
        threads: Integer = None,
        *,
        model_recipe: Optional[str] = None,
        onnxruntime: Optional[Union[str, os.PathLike[str]]] = None,
        providers: Optional[Union[str, Sequence[str]]] = None,
        in_flight: Integer = None,
        memory: Integer = None,
        max_bytes: Integer = None,
        max_side: Integer = None,
        decode_memory: Integer = None,
        **unknown: NoReturn,
    ) -> None:
        settings: Dict[str, Any] = {
            "model": model if model is None else os.fsdecode(model),
            "engine": engine,
            "threads": threads,
            "model_recipe": model_recipe,
            "onnxruntime": onnxruntime if onnxruntime is None else os.fsdecode(onnxruntime),
            "providers": providers if providers is None or isinstance(providers, str) else ",".join(providers),
            "in_flight": in_flight,
            "memory": memory,
            "max_bytes": max_bytes,
            "max_side": max_side,
            "decode_memory": decode_memory,
            **unknown,
        }
        self._settings = {key: value for key, value in settings.items() if value is not None}
        self._loaded = Loaded(self._settings)

    def __getstate__(self) -> Dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name != "_loaded"}

    def __setstate__(self, state: Dict[str, Any]) -> None:
        self.__dict__.update(state)
        # A session of one's own may have none.
        self._loaded = Loaded(state.get("_settings", {}))

    def __repr__(self) -> str:
        settings = ", ".join(f"{key}={value!r}" for key, value in self._settings.items())
        return f"{type(self).__name__}({settings})"

    @property
    def model(self) -> str:
        """The model's name, or the path of its file."""
        return self._loaded.core.model

    @property
    def engine(self) -> _engine.EngineInfo:
        """What the model runs on."""
        return _engine.EngineInfo(**self._loaded.core.engine)

    @property
    def _here(self) -> Loaded:
        if self._loaded.process != os.getpid():
            self._loaded = Loaded(self._settings)
        return self._loaded

    def rmbg(
        self,
        image: Optional[Source],
        *,
        format: Optional[str] = None,
        w: Integer = None,
        h: Integer = None,
        exact_resize: Flag = None,
        mask: Flag = None,
        bg_color: Color = None,
        angle: Number = None,
        expand: Flag = None,
        api_key: Optional[str] = None,
        mask_from: Optional[Source] = None,
        on_found: Optional[OnFound] = None,
        progress: Optional[Progress] = None,
        cancel: Optional[CancelToken] = None,
        **more: Unpack[CutOutOptions],
    ) -> bytes:
        """As `rmbg`, with this model and engine.

        :param on_found: called once with a `Found`, when the removal is done: how much of the picture the
            subject is, where it is, and how sure the model is. Where nothing is found, a
            `NothingFoundWarning` is issued too.
        :param progress: called as `progress(stage, fraction)` on the thread that works; what it
            raises ends the removal and comes out of it.
        :param cancel: ends the removal with a `CancelledError` once it is cancelled.
        """
        before = {"format": format, "w": w, "h": h, "exact_resize": exact_resize, "mask": mask}
        options = {**before, "bg_color": bg_color, "angle": angle, "expand": expand, **more}
        mask_given = _pictures.given(mask_from, is_mask=True)
        task = Task(_pictures.uploaded(image), _values.pairs(options), mask_given, False, progress, cancel)
        data, found = self._here.core.encode(task)
        _found.told(found, on_found)
        return data

    @overload
    def remove(self, data: Encoded, *, force_return_bytes: bool = False, **options: Unpack[RemoveOptions]) -> bytes: ...
    @overload
    def remove(
        self, data: Image, *, force_return_bytes: Literal[False] = False, **options: Unpack[RemoveOptions]
    ) -> Image: ...
    @overload
    def remove(
        self, data: AnyArray, *, force_return_bytes: Literal[False] = False, **options: Unpack[RemoveOptions]
    ) -> Array: ...
    @overload
    def remove(self, data: Source, *, force_return_bytes: Literal[True], **options: Unpack[RemoveOptions]) -> bytes: ...
    def remove(
        self,
        data: Any,
        *,
        alpha_matting: bool = False,
        alpha_matting_foreground_threshold: int = 240,
        alpha_matting_background_threshold: int = 10,
        alpha_matting_erode_size: int = 10,
        only_mask: bool = False,
        post_process_mask: bool = False,
        quality: Integer = None,
        compression: Compression = None,
        preset: Preset = None,
        refine: bool = True,
        flat: Flat = None,
        decontaminate: bool = True,
        clean_mask: bool = False,
        keep: Regions = None,
        drop: Regions = None,
        invert_mask: bool = False,
        mask_from: Optional[Source] = None,
        trimap: bool = False,
        bgcolor: Color = None,
        force_return_bytes: bool = False,
        putalpha: bool = False,
        format: Optional[str] = None,
        w: Integer = None,
        h: Integer = None,
        exact_resize: Flag = None,
        angle: Number = None,
        expand: Flag = None,
        on_found: Optional[OnFound] = None,
        progress: Optional[Progress] = None,
        cancel: Optional[CancelToken] = None,
        **ignored: Any,
    ) -> Any:
        """As `remove`, with this model and engine.

        `on_found`, `progress` and `cancel` are as in `rmbg`.
        """
        alpha_matting = _values.stands_in_for_vitmatte(ignored, only_mask) or alpha_matting
        _values.warn_of_ignored("remove", ignored)
        pixels = not force_return_bytes and _pictures.is_pixels(data)
        if pixels and format is not None:
            raise ValueError("format is for encoded results: pass force_return_bytes=True, or leave it out")
        options = {
            "format": None if pixels else format or "png",
            "w": w,
            "h": h,
            "exact_resize": exact_resize,
            "mask": only_mask,
            "bg_color": None if only_mask else bgcolor,
            "angle": angle,
            "expand": expand,
            "quality": quality,
            "compression": compression,
            "preset": preset,
            "refine": bool(refine),
            "flat": flat,
            "decontaminate": bool(decontaminate),
            # A mask alone is what matting would start from, as rembg has it.
            "matting": bool(alpha_matting) and not only_mask,
            "matting_foreground_threshold": _values.number(alpha_matting_foreground_threshold),
            "matting_background_threshold": _values.number(alpha_matting_background_threshold),
            "matting_erode_size": _values.number(alpha_matting_erode_size),
            "trimap": bool(trimap),
            "clean_mask": bool(clean_mask),
            "keep": keep,
            "drop": drop,
            "smooth_mask": bool(post_process_mask),
            "invert_mask": bool(invert_mask),
            "keep_colors": bool(putalpha),
            "keep_alpha": True,
        }
        mask_given = _pictures.given(mask_from, is_mask=True)
        task = Task(_pictures.given(data), _values.pairs(options), mask_given, progress=progress, cancel=cancel)
        result: Any
        if pixels:
            picture, found = self._here.core.pixels(task)
            result = _pictures.as_given(picture, data)
        else:
            result, found = self._here.core.encode(task)
        _found.told(found, on_found)
        return result

    @overload
    def remove_many(
        self,
        images: Iterable[AnyEncoded],
        *,
        jobs: int = 0,
        force_return_bytes: bool = False,
        **options: Unpack[RemoveOptions],
    ) -> Generator[Outcome[AnyEncoded, bytes], None, None]: ...
    @overload
    def remove_many(
        self,
        images: Iterable[Image],
        *,
        jobs: int = 0,
        force_return_bytes: Literal[False] = False,
        **options: Unpack[RemoveOptions],
    ) -> Generator[Outcome[Image, Image], None, None]: ...
    @overload
    def remove_many(
        self,
        images: Iterable[AnyArray],
        *,
        jobs: int = 0,
        force_return_bytes: Literal[False] = False,
        **options: Unpack[RemoveOptions],
    ) -> Generator[Outcome[AnyArray, Array], None, None]: ...
    @overload
    def remove_many(
        self,
        images: Iterable[AnySource],
        *,
        jobs: int = 0,
        force_return_bytes: Literal[True],
        **options: Unpack[RemoveOptions],
    ) -> Generator[Outcome[AnySource, bytes], None, None]: ...
    def remove_many(
        self, images: Iterable[Any], *, jobs: int = 0, **options: Any
    ) -> Generator[Outcome[Any, Any], None, None]:
        """Remove the background of many pictures, `jobs` at a time, 0 for `in_flight`.

        Takes pictures from `images` as it goes, at most two for each job before it yields, and yields an `Outcome`
        for each, in order, as soon as it and those before it are done; while `images` makes the caller
        wait for its next, nothing is yielded. A picture that fails does not stop the others: its outcome has the error.
        What `images` raises comes out after the pictures that it gave. Leaving the loop, or Ctrl-C,
        stops what is running.

        :param options: those of `remove`.
        :raises TypeError: at once, for an option that `remove` does not have.
        """
        _batch.check(self.remove, images, jobs, options)
        return _batch.many(self.remove, images, jobs or self._here.core.in_flight, options)

    def matte(
        self,
        image: Source,
        *,
        preset: Preset = None,
        refine: Flag = None,
        progress: Optional[Progress] = None,
        cancel: Optional[CancelToken] = None,
    ) -> Matte:
        """Run the model alone, and give what it makes of the picture: a `numpy.ndarray` of float32.

        1.0 is subject, 0.0 is background. Its shape is (height, width) as the model saw the upright
        picture, over which it is to be stretched. `preset` and `refine` are as in `rmbg`: the
        model sees the picture as they ask.
        """
        options = {"preset": preset, "refine": refine}
        task = Task(_pictures.given(image), _values.pairs(options), progress=progress, cancel=cancel)
        return _pictures.matte(lambda: self._here.core.matte(task))

    async def rmbg_async(self, image: Optional[Source], **options: Unpack[RmbgOptions]) -> bytes:
        """As `rmbg`, on a thread of this remover's, so that the event loop goes on.

        Cancelling the task stops the removal. `progress` is called on that thread.
        """
        return await _batch.in_thread(self._here.threads, self.rmbg, image, dict(options))

    @overload
    async def remove_async(
        self, data: Encoded, *, force_return_bytes: bool = False, **options: Unpack[RemoveOptions]
    ) -> bytes: ...
    @overload
    async def remove_async(
        self, data: Image, *, force_return_bytes: Literal[False] = False, **options: Unpack[RemoveOptions]
    ) -> Image: ...
    @overload
    async def remove_async(
        self, data: AnyArray, *, force_return_bytes: Literal[False] = False, **options: Unpack[RemoveOptions]
    ) -> Array: ...
    @overload
    async def remove_async(
        self, data: Source, *, force_return_bytes: Literal[True], **options: Unpack[RemoveOptions]
    ) -> bytes: ...
    async def remove_async(self, data: Any, **options: Any) -> Any:
        """As `remove`, done as `rmbg_async` does it."""
        return await _batch.in_thread(self._here.threads, self.remove, data, options)

    def remove_many_async(
        self, images: Union[Iterable[Any], AsyncIterable[Any]], *, jobs: int = 0, **options: Any
    ) -> AsyncGenerator[Outcome[Any, Any], None]:
        """As `remove_many`, for `async for`. `images` may be asynchronous too.

        An outcome is yielded also while asynchronous `images` wait for their next. `aclose()`, or cancelling the
        task, stops what is running and closes `images` that are a generator; after `break` the event loop
        does so soon. Before Python 3.12 they are cancelled again if they have not ended after ten seconds. All
        asynchronous calls of one remover share 32 threads.
        """
        _batch.check(self.remove, images, jobs, options)
        return _batch.many_async(self.remove_async, images, jobs or self._here.core.in_flight, options)
