/** The page before all others when the control plane has a secret. */
import { createSignal, onMount, Show } from "solid-js"
import type { Client, Problem } from "../api/Client.ts"
import "./session.css"

export const SignIn = (props: { readonly client: Client; readonly onDone: () => void }) => {
  const [key, setKey] = createSignal("")
  const [problem, setProblem] = createSignal<Problem>()
  const [busy, setBusy] = createSignal(false)
  let field: HTMLInputElement | undefined
  onMount(() => field?.focus())

  const submit = async (event: SubmitEvent) => {
    event.preventDefault()
    if (busy() || key() === "") return
    setBusy(true)
    const answer = await props.client.post("/session", { key: key().trim() })
    setBusy(false)
    if (answer.ok) return props.onDone()
    setProblem(answer.problem)
    field?.select()
  }

  return (
    <main class="sign-in">
      <form onSubmit={(event) => void submit(event)} aria-labelledby="sign-in-title">
        <div class="brand">
          <svg viewBox="0 0 24 24" aria-hidden="true">
            <path d="M13.6 4.5 6.8 13h4.3l-.9 6.5 7-9h-4.5z" />
          </svg>
          <h1 id="sign-in-title">Sign in to FastWorker</h1>
        </div>
        <label for="sign-in-key">Secret, or the key of a role</label>
        <input
          ref={field}
          id="sign-in-key"
          class="input"
          type="password"
          name="key"
          autocomplete="current-password"
          required
          value={key()}
          onInput={(event) => setKey(event.currentTarget.value)}
          aria-invalid={problem() === undefined ? undefined : "true"}
          aria-describedby="sign-in-help sign-in-problem"
        />
        <p id="sign-in-problem" role="alert">
          <Show when={problem()}>{(problem) => problem().detail}</Show>
        </p>
        <button type="submit" class="button" data-kind="primary" aria-disabled={busy() ? "true" : undefined}>
          {busy() ? "Signing in…" : "Sign in"}
        </button>
        <p id="sign-in-help">
          It is what <code>FASTWORKER_SECRET</code> holds. <code>fastworker secret --role observer</code>{" "}
          makes a key that only reads.
        </p>
      </form>
    </main>
  )
}
