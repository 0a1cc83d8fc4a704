/** A task whose name and description would be markup, if anyone let them. */
import * as Effect from "effect/Effect"
import { Task } from "fastworker"

export const markup = Task.define("<img src=x onerror=\"document.title='owned'\">", {
  description: "<script>document.title='owned'</script><b>bold</b>",
  run: () => Effect.never
})
