import { describe, expect, it } from "vitest"
import { formatTcp, parseAddress, parseDialAddress } from "../src/Address.ts"
import { NngError } from "../src/index.ts"

const codeOf = (act: () => unknown): string => {
  try {
    act()
  } catch (error) {
    if (error instanceof NngError) return error.code
    throw error
  }
  return "none"
}

describe("parseAddress", () => {
  it.each([
    ["tcp://127.0.0.1:80", { host: "127.0.0.1", port: 80, family: 0 }],
    ["tcp://[::1]:0", { host: "::1", port: 0, family: 0 }],
    ["tcp://[fe80::1%lo]:9", { host: "fe80::1%lo", port: 9, family: 0 }],
    ["tcp://*:9", { host: "", port: 9, family: 0 }],
    ["tcp://:9", { host: "", port: 9, family: 0 }],
    ["tcp://[fe80::1%25lo]:9", { host: "fe80::1%lo", port: 9, family: 0 }],
    ["tls+tcp://example.org:9", { transport: "tcp", host: "example.org", port: 9, family: 0, tls: true }],
    ["tls+tcp4://127.0.0.1:9/", { transport: "tcp", host: "127.0.0.1", port: 9, family: 4, tls: true }],
    ["ws://example.org", { transport: "ws", host: "example.org", port: 80, path: "/", tls: false }],
    ["ws6://[::1]:81/a/b?c=d", { transport: "ws", host: "::1", port: 81, family: 6, path: "/a/b?c=d" }],
    ["wss://example.org/", { transport: "ws", host: "example.org", port: 443, path: "/", tls: true }],
    ["wss://*:0/x", { transport: "ws", host: "", port: 0, path: "/x", tls: true }],
    ["tcp6://example.org:9", { host: "example.org", port: 9, family: 6 }],
    ["tcp4://localhost:9", { host: "localhost", port: 9, family: 4 }],
    ["ipc:///tmp/x", { path: "/tmp/x" }],
    ["ipc://relative", { path: "relative" }],
    ["unix:///tmp/x", { path: "/tmp/x" }],
    ["abstract://a%20b", { path: "\0a b" }],
    ["abstract://a%00b", { path: "\0a\0b" }],
    ["inproc://any thing", { name: "any thing" }]
  ])("reads %s", (address, fields) => {
    expect(parseAddress(address)).toMatchObject({ ...fields, text: address })
  })

  it.each([
    "",
    "tcp://",
    "tcp://host",
    "tcp://host:",
    "tcp://host:65536",
    "tcp://host:-1",
    "tcp://::1:80",
    "tcp://[::1:80",
    "tcp://a/b:80",
    "tcp://a:80/b",
    "tcp://[a]:80",
    "tcp4://[::1]:80",
    "tcp6://127.0.0.1:80",
    "tcp5://host:80",
    "tls+tcp://host",
    "tls+ws://host",
    "ws://host:80/a b",
    "ws://host:80/a#b",
    "ws://a:b@host/",
    "ipc://",
    "inproc://",
    "abstract://",
    "abstract://%zz",
    "http://host:80",
    "host:80",
    `ipc:///${"x".repeat(107)}`,
    `ipc:///${"é".repeat(54)}`,
    "ipc:///a\0b"
  ])("refuses %j", (address) => {
    expect(codeOf(() => parseAddress(address))).toBe("EADDRINVAL")
  })

  it("accepts the longest path", () => {
    expect(codeOf(() => parseAddress(`ipc:///${"x".repeat(102)}`))).toBe("none")
  })
})

describe("parseDialAddress", () => {
  it.each(["tcp://*:80", "tcp://:80", "tcp://host:0", "tls+tcp://*:80", "ws://host:0", "wss:///path"])(
    "refuses %s",
    (address) => {
      expect(codeOf(() => parseDialAddress(address))).toBe("EADDRINVAL")
    }
  )
})

describe("formatTcp", () => {
  it("brackets IPv6 and shows mapped IPv4 as IPv4", () => {
    expect([formatTcp("tcp://", "::1", 1), formatTcp("tcp://", "1.2.3.4", 2), formatTcp("tcp://", "::ffff:1.2.3.4", 3)])
      .toEqual([
        "tcp://[::1]:1",
        "tcp://1.2.3.4:2",
        "tcp://1.2.3.4:3"
      ])
  })
})
