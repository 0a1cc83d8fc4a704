import { Skeleton } from "../../components/Feedback.tsx"
import { Page } from "../../components/Page.tsx"

export default function Types() {
  return (
    <Page title="Task types">
      <Skeleton rows={8} />
    </Page>
  )
}
