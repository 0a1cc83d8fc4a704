import { Skeleton } from "../../components/Feedback.tsx"
import { Page } from "../../components/Page.tsx"

export default function WorkerPage() {
  return (
    <Page title="Worker">
      <Skeleton rows={8} />
    </Page>
  )
}
