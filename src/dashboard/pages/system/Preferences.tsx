/** What this browser remembers of whoever uses it. */
import { createSignal, onCleanup } from "solid-js"
import { Button } from "../../components/Button.tsx"
import { SegmentedControl } from "../../components/Choice.tsx"
import { useApp } from "../../Context.ts"
import { keysOf } from "../../keyboard/Commands.ts"
import { Keys } from "../../keyboard/Keys.tsx"
import type { Theme } from "../../Preferences.ts"

const themes: ReadonlyArray<{ readonly value: Theme; readonly label: string }> = [
  { value: "system", label: "System" },
  { value: "light", label: "Light" },
  { value: "dark", label: "Dark" }
]

export const Preferences = () => {
  const { dialogs, preferences } = useApp()
  const motion = matchMedia("(prefers-reduced-motion: reduce)")
  const [reduced, setReduced] = createSignal(motion.matches)
  const onMotion = ({ matches }: MediaQueryListEvent) => setReduced(matches)
  motion.addEventListener("change", onMotion)
  onCleanup(() => motion.removeEventListener("change", onMotion))
  return (
    <section class="block preferences" aria-labelledby="preferences">
      <header>
        <h2 id="preferences">Preferences</h2>
        <span class="quiet">of this browser</span>
      </header>
      <ul class="panel-pad">
        <li>
          <span>
            Theme
            <small>
              <Keys of={keysOf("theme")} /> switches too
            </small>
          </span>
          <SegmentedControl
            label="Theme"
            value={preferences.theme()}
            options={themes}
            onChange={preferences.setTheme}
          />
        </li>
        <li>
          <span id="single-keys">
            Shortcuts of a single key
            <small>Without them the keys with Ctrl or ⌘ remain.</small>
          </span>
          <label class="check">
            <input
              type="checkbox"
              aria-labelledby="single-keys"
              checked={preferences.singleKeys()}
              onChange={(event) => preferences.setSingleKeys(event.currentTarget.checked)}
            />
            {preferences.singleKeys() ? "On" : "Off"}
          </label>
        </li>
        <li>
          <span>
            Motion
            <small>Follows the system.</small>
          </span>
          <span class="quiet">{reduced() ? "Reduced" : "Little, as always"}</span>
        </li>
        <li>
          <span>Keyboard shortcuts</span>
          <Button size="small" command="help" onClick={dialogs.help}>Show all</Button>
        </li>
      </ul>
    </section>
  )
}
