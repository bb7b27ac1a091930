/* export_list.h - every form in which a model leaves the lab, one line each: EXPORT(gguf) is
 * `const ExportDef export_gguf` in export_gguf.c.
 * No include guard: this file is included several times. */
EXPORT(gguf)
