import { Skeleton } from "../../components/Feedback.tsx"
import { Page } from "../../components/Page.tsx"

export default function TypePage() {
  return (
    <Page title="Task type">
      <Skeleton rows={8} />
    </Page>
  )
}
