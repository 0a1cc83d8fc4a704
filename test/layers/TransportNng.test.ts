import * as Layer from "effect/Layer"
import * as TransportNng from "../../src/layers/TransportNng.ts"
import { suite } from "../suites/TransportSuite.ts"

suite("TransportNng", Layer.orDie(TransportNng.layer), {
  anywhere: "tcp://127.0.0.1:0",
  malformed: ["", "127.0.0.1:5555", "http://127.0.0.1:5555", "tcp://127.0.0.1", "tcp://127.0.0.1:99999"]
})
