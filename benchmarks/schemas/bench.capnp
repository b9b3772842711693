@0xb5d1c0ffee15900d;

struct Record {
  id @0 :Int64;
  name @1 :Text;
  price @2 :Float64;
  tags @3 :List(Text);
}

interface Bench {
  repeat @0 (text :Text, times :Int64) -> (text :Text);
  echo @1 (records :List(Record)) -> (records :List(Record));
}
