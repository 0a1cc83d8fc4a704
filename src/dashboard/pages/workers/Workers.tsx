import { Skeleton } from "../../components/Feedback.tsx"
import { Page } from "../../components/Page.tsx"

export default function Workers() {
  return (
    <Page title="Workers">
      <Skeleton rows={8} />
    </Page>
  )
}
