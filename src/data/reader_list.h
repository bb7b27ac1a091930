/* reader_list.h - every kind of file that is read, one line each.  No include guard: this
 * file is included several times. */
READER(text)
READER(jsonl)
READER(html)
READER(warc)
READER(parquet)
