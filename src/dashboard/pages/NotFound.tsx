/** An address that leads nowhere. */
import { A } from "@solidjs/router"
import { EmptyState } from "../components/Feedback.tsx"
import { Page } from "../components/Page.tsx"

export const NotFound = () => (
  <Page title="Not found">
    <EmptyState title="There is no such page" text="The address may be of another version, or misspelt.">
      <A class="link" href="/">Overview</A>
    </EmptyState>
  </Page>
)
