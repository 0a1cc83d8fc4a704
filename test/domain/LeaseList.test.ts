import { assert, describe, it } from "@effect/vitest"
import { LeaseList } from "../../src/domain/LeaseList.ts"
import type { TaskRecord } from "../../src/domain/Task.ts"
import { makeRandom } from "../harness/random.ts"

const makeLease = (id: number) => ({ id: String(id), next: undefined, previous: undefined }) as unknown as TaskRecord

describe("LeaseList", () => {
  it("has what was added and not deleted, in order", () => {
    const random = makeRandom(3)
    for (let round = 0; round < 100; round++) {
      const leases = new LeaseList()
      const expected: Array<TaskRecord> = []
      for (let step = 0; step < 200; step++) {
        if (expected.length === 0 || random() < 0.5) {
          const task = makeLease(step)
          leases.add(task)
          expected.push(task)
        } else {
          const [task] = expected.splice(Math.floor(random() * expected.length), 1)
          leases.delete(task as TaskRecord)
          assert.deepStrictEqual([task?.next, task?.previous], [undefined, undefined])
        }
        assert.strictEqual(leases.size, expected.length)
      }
      assert.deepStrictEqual([...leases].map(({ id }) => id), expected.map(({ id }) => id))
    }
  })

  it("lets a loop hand tasks on to another", () => {
    const from = new LeaseList()
    const to = new LeaseList()
    for (let i = 0; i < 5; i++) from.add(makeLease(i))
    for (const task of from) {
      from.delete(task)
      to.add(task)
    }
    assert.deepStrictEqual([[...from].length, from.size, to.size], [0, 0, 5])
    assert.deepStrictEqual([...to].map(({ id }) => id), ["0", "1", "2", "3", "4"])
  })
})
