import { Skeleton } from "../../components/Feedback.tsx"
import { Page } from "../../components/Page.tsx"

export default function Overview() {
  return (
    <Page title="Overview">
      <Skeleton rows={8} />
    </Page>
  )
}
