import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { defaults, formatDuration, formatSize, parseDuration, parseSize } from "../../src/domain/Settings.ts"

const Whole = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER }))

describe("parseDuration", () => {
  it("reads what people write, in milliseconds", () => {
    const read = (texts: ReadonlyArray<string>) => texts.map((text) => Result.getOrElse(parseDuration(text), () => -1))

    assert.deepStrictEqual(read(["250ms", "30s", "5m", "1h", "2d", "0s"]), [
      250,
      30_000,
      300_000,
      3_600_000,
      172_800_000,
      0
    ])
    assert.deepStrictEqual(read(["1.5s", " 10 s ", "30 seconds", "5 minutes", "1 hour", "100 millis"]), [
      1_500,
      10_000,
      30_000,
      300_000,
      3_600_000,
      100
    ])
  })

  it("gives whole milliseconds: they travel as integers", () => {
    assert.deepStrictEqual(parseDuration("1.001s"), Result.succeed(1_001))
    assert.deepStrictEqual(parseDuration("0.4ms"), Result.succeed(0))
    assert.deepStrictEqual(parseDuration("1500 micros"), Result.succeed(2))
  })

  it.prop("reads what formatDuration writes", { millis: Whole }, ({ millis }) => {
    assert.deepStrictEqual(parseDuration(formatDuration(millis)), Result.succeed(millis))
  }, { arbitrary: { runs: 500 } })

  for (
    const text of [
      "",
      "s",
      "30",
      "-1s",
      "1e3s",
      "1.s",
      "1s 2s",
      "30 parsecs",
      "Infinity",
      "NaN s",
      "1w",
      `${"9".repeat(30)}d`
    ]
  ) {
    it(`refuses "${text}", and says how to write one`, () => {
      const parsed = parseDuration(text)

      assert.isTrue(Result.isFailure(parsed))
      if (Result.isFailure(parsed)) {
        assert.include(parsed.failure, `"${text}"`)
        assert.include(parsed.failure, "30s")
      }
    })
  }
})

describe("formatDuration", () => {
  it("takes the largest unit that divides", () => {
    const texts = [0, 1, 999, 1_000, 1_500, 60_000, 90_000, 3_600_000, 86_400_000, 90_000_000].map(formatDuration)

    assert.deepStrictEqual(texts, ["0ms", "1ms", "999ms", "1s", "1500ms", "1m", "90s", "1h", "1d", "25h"])
  })
})

describe("parseSize", () => {
  it("reads what people write, in bytes", () => {
    const sizes = ["65536", "10B", "64MiB", "1 GB", "1.5kib", "2kb", "0", "1GiB", " 3 MB "].map((text) =>
      Result.getOrElse(parseSize(text), () => -1)
    )

    assert.deepStrictEqual(sizes, [65_536, 10, 67_108_864, 1e9, 1_536, 2_000, 0, 1_073_741_824, 3_000_000])
  })

  it.prop("reads what formatSize writes", { bytes: Whole }, ({ bytes }) => {
    assert.deepStrictEqual(parseSize(formatSize(bytes)), Result.succeed(bytes))
  }, { arbitrary: { runs: 500 } })

  for (
    const text of ["", "MiB", "-1", "1e3", "1.MiB", "1 TiB", "1 constructor", "1 tostring", "1 mi b", "9".repeat(30)]
  ) {
    it(`refuses "${text}", and says how to write one`, () => {
      const parsed = parseSize(text)

      assert.isTrue(Result.isFailure(parsed))
      if (Result.isFailure(parsed)) {
        assert.include(parsed.failure, `"${text}"`)
        assert.include(parsed.failure, "64MiB")
      }
    })
  }
})

describe("formatSize", () => {
  it("takes the largest unit that divides", () => {
    const texts = [0, 512, 1024, 1_500, 65_536, 1_048_576, 1_073_741_824].map(formatSize)

    assert.deepStrictEqual(texts, ["0B", "512B", "1KiB", "1500B", "64KiB", "1MiB", "1GiB"])
  })
})

describe("defaults", () => {
  it("listen on the loopback interface only", () => {
    for (const address of [defaults.address, defaults.workerAddress, defaults.discovery]) {
      assert.match(address, /^tcp:\/\/127\.0\.0\.1:\d+$/u)
    }
    assert.match(defaults.dashboard, /^127\.0\.0\.1:\d+$/u)
  })

  it("remember an id for longer than any client tries again, and lose a worker later than it beats", () => {
    assert.isAbove(defaults.resultCacheTtlMillis, defaults.deadlineMillis)
    assert.isAbove(defaults.heartbeatTimeoutMillis, 2 * defaults.heartbeatMillis)
    assert.isAbove(defaults.sessionTimeoutMillis, defaults.deadlineMillis)
  })
})
