import { Skeleton } from "../../components/Feedback.tsx"
import { Page } from "../../components/Page.tsx"

export default function Schedules() {
  return (
    <Page title="Schedules">
      <Skeleton rows={8} />
    </Page>
  )
}
