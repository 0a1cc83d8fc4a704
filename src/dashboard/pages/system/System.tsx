import { Skeleton } from "../../components/Feedback.tsx"
import { Page } from "../../components/Page.tsx"

export default function System() {
  return (
    <Page title="System">
      <Skeleton rows={8} />
    </Page>
  )
}
