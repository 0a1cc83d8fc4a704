import { Skeleton } from "../../components/Feedback.tsx"
import { Page } from "../../components/Page.tsx"

export default function Errors() {
  return (
    <Page title="Errors">
      <Skeleton rows={8} />
    </Page>
  )
}
