import { Skeleton } from "../../components/Feedback.tsx"
import { Page } from "../../components/Page.tsx"

export default function Tasks() {
  return (
    <Page title="Tasks">
      <Skeleton rows={8} />
    </Page>
  )
}
