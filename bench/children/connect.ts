/** A client from its first line to the first answer of a control plane. */
const began = performance.now()
const { FastWorker } = await import("fastworker/promise")
const imported = performance.now()
const client = await FastWorker.connect({ discovery: process.argv[2] ?? "" })
await client.stats()
const connected = performance.now()
await client.close()
console.log(JSON.stringify({ importing: imported - began, connecting: connected - imported }))
