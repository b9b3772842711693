struct Record {
  1: i64 id,
  2: string name,
  3: double price,
  4: list<string> tags,
}

service Bench {
  string repeat(1: string text, 2: i64 times),
  list<Record> echo(1: list<Record> records),
}
