/** What the dashboard reads and writes as text: JSON, searches, keys, server-sent events, addresses. */
import { assert, describe, it } from "@effect/vitest"
import { path, problemOf, queryString } from "../../src/dashboard/api/Client.ts"
import { jsonProblem, pretty, tokensOf } from "../../src/dashboard/components/json.ts"
import { parseSearch, printSearch, suggestionsFor, tokenAt } from "../../src/dashboard/components/tokens.ts"
import { catalog } from "../../src/dashboard/keyboard/catalog.ts"
import { isSingle, nameOf, shownKeys } from "../../src/dashboard/keyboard/keys.ts"
import { score } from "../../src/dashboard/keyboard/match.ts"
import { makeParser, type SseEvent } from "../../src/dashboard/live/sse.ts"
import { makeRandom } from "../harness/random.ts"

describe("JSON as text", () => {
  it("loses no character, whatever the text is", () => {
    const random = makeRandom(7)
    const signs = [
      "{",
      "}",
      "[",
      "]",
      ",",
      ":",
      "\"",
      "\\",
      " ",
      "\n",
      "a",
      "1",
      "-",
      ".",
      "e",
      "<b>",
      "é",
      "\u2028",
      "null"
    ]
    for (let run = 0; run < 2_000; run++) {
      const text = Array.from({ length: Math.floor(random() * 20) }, () => signs[Math.floor(random() * signs.length)])
        .join("")
      assert.strictEqual(tokensOf(text).map((token) => token.text).join(""), text)
    }
  })

  it("keeps numbers that a double can't hold when it adds line breaks", () => {
    const text = `{"id":12345678901234567890,"a":[1.10,{}],"b":[]}`
    const shown = pretty(text)
    assert.strictEqual(shown, `{\n  "id": 12345678901234567890,\n  "a": [\n    1.10,\n    {}\n  ],\n  "b": []\n}`)
    assert.strictEqual(shown.replaceAll(/\s/gu, ""), text)
  })

  it("tells keys from strings", () => {
    assert.deepStrictEqual(tokensOf(`{"a" : "b"}`).filter(({ kind }) => kind === "key" || kind === "string"), [
      { kind: "key", text: `"a"` },
      { kind: "string", text: `"b"` }
    ])
  })

  it("says in which line JSON is broken", () => {
    assert.isUndefined(jsonProblem(`{"a": 1}`))
    assert.match(jsonProblem(`{\n"a": 1,\n"b" 2\n}`) ?? "", /line 3/u)
    assert.match(jsonProblem("") ?? "", /null/u)
  })
})

describe("search", () => {
  const names = ["status", "type", "q"]

  it("reads tokens, quotes and words, and writes the same again", () => {
    const text = `status:failed type:webhook.* "card declined" 01K9:x plain`
    const tokens = parseSearch(text, names)
    assert.deepStrictEqual(tokens, [
      { name: "status", value: "failed" },
      { name: "type", value: "webhook.*" },
      { name: undefined, value: "card declined" },
      { name: undefined, value: "01K9:x" },
      { name: undefined, value: "plain" }
    ])
    assert.deepStrictEqual(parseSearch(printSearch(tokens), names), tokens)
  })

  it("leaves out a name that has no value yet", () => {
    assert.deepStrictEqual(parseSearch("status: type:a", names), [{ name: "type", value: "a" }])
  })

  it("suggests names, then values, of the token at the caret", () => {
    const known = [{ name: "status", hint: "state", values: () => ["failed", "running"] }, {
      name: "type",
      hint: "type"
    }]
    assert.deepStrictEqual(tokenAt("a status:fa b", 9), { from: 2, to: 11 })
    assert.deepStrictEqual(suggestionsFor("a st b", 4, known), [{ text: "status:", hint: "state" }])
    assert.deepStrictEqual(suggestionsFor("a status:fa b", 11, known), [{ text: "status:failed" }])
  })

  it("ranks beginnings of words before their middles and what does not match not at all", () => {
    assert.strictEqual(score("Pause dispatch", "xyz"), 0)
    assert.isAbove(score("Pause dispatch", "pause"), score("Unpause", "pause"))
    assert.isAbove(score("email.send", "send"), score("resend", "send"))
  })
})

describe("keys", () => {
  const press = (key: string, more: Partial<Parameters<typeof nameOf>[0]> = {}) =>
    nameOf({ key, shiftKey: false, ctrlKey: false, metaKey: false, altKey: false, ...more })

  it("are named as the catalogue names them", () => {
    assert.strictEqual(press("k", { ctrlKey: true }), "mod+k")
    assert.strictEqual(press("k", { metaKey: true }), "mod+k")
    assert.strictEqual(press("L", { shiftKey: true }), "shift+l")
    assert.strictEqual(press("?", { shiftKey: true }), "?")
    assert.strictEqual(press("ArrowDown", { shiftKey: true }), "shift+arrowdown")
  })

  it("of other alphabets go by their place", () => {
    assert.strictEqual(press("о", { code: "KeyJ" }), "j")
  })

  it("are shown as they stand on the board", () => {
    assert.deepStrictEqual(shownKeys("mod+k", true), ["⌘", "K"])
    assert.deepStrictEqual(shownKeys("mod+k", false), ["Ctrl", "K"])
    assert.deepStrictEqual(shownKeys("g o", false), ["g", "o"])
  })

  it("mean one thing each, and none is the beginning of another", () => {
    const all = Object.values(catalog).map(({ keys }) => keys)
    assert.strictEqual(new Set(all).size, all.length)
    for (const keys of all) assert.isFalse(all.some((other) => other.startsWith(`${keys} `)), keys)
    assert.isTrue(isSingle("g o"))
    assert.isFalse(isSingle("mod+k"))
  })
})

describe("server-sent events", () => {
  it("are the same however the stream is cut into chunks", () => {
    const text =
      `: hello\n\nid: 1\nevent: snapshot\ndata: {"a":\ndata: 1}\n\nid: 2\r\nevent: frame\r\ndata: {}\r\n\r\n:\n\ndata: x\n\nevent: none\n\n`
    const random = makeRandom(3)
    const whole: Array<SseEvent> = []
    makeParser((event) => void whole.push(event)).push(text)
    assert.deepStrictEqual(whole, [
      { event: "snapshot", data: `{"a":\n1}`, id: "1" },
      { event: "frame", data: "{}", id: "2" },
      { event: "message", data: "x", id: "2" }
    ])
    for (let run = 0; run < 200; run++) {
      const cut: Array<SseEvent> = []
      const parser = makeParser((event) => void cut.push(event))
      for (let at = 0; at < text.length;) {
        const size = 1 + Math.floor(random() * 12)
        parser.push(text.slice(at, at + size))
        at += size
      }
      assert.deepStrictEqual(cut, whole)
    }
  })
})

describe("addresses and problems", () => {
  it("encode names with slashes, dots and colons", () => {
    assert.strictEqual(path`/types/${"a/b.c:d"}`, "/types/a%2Fb.c%3Ad")
    assert.strictEqual(queryString({ q: "a b", none: undefined, empty: "", limit: 0 }), "?q=a+b&limit=0")
  })

  it("say what the server said, and something when a proxy answered", () => {
    assert.deepStrictEqual(problemOf(404, `{"title":"Not found","detail":"no task","code":"NotFound","status":404}`), {
      status: 404,
      title: "Not found",
      detail: "no task",
      code: "NotFound"
    })
    assert.deepStrictEqual(problemOf(502, "<html>"), {
      status: 502,
      title: "The request failed",
      detail: "The server answered with status 502.",
      code: "Status502"
    })
  })
})
