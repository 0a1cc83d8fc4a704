/** Which page is where; each is loaded when it is opened first. Addresses are made with `paths.ts`. */
import { Route } from "@solidjs/router"
import { lazy } from "solid-js"
import { NotFound } from "./pages/NotFound.tsx"

const Overview = lazy(() => import("./pages/overview/Overview.tsx"))
const Tasks = lazy(() => import("./pages/tasks/Tasks.tsx"))
const Errors = lazy(() => import("./pages/errors/Errors.tsx"))
const Workers = lazy(() => import("./pages/workers/Workers.tsx"))
const WorkerPage = lazy(() => import("./pages/workers/WorkerPage.tsx"))
const Schedules = lazy(() => import("./pages/schedules/Schedules.tsx"))
const Types = lazy(() => import("./pages/types/Types.tsx"))
const TypePage = lazy(() => import("./pages/types/TypePage.tsx"))
const System = lazy(() => import("./pages/system/System.tsx"))

export const Routes = () => (
  <>
    <Route path="/" component={Overview} />
    {/* One page: the list stays as it is while its drawer is opened and closed. */}
    <Route path={["/tasks", "/tasks/:id"]} component={Tasks} />
    <Route path="/errors" component={Errors} />
    <Route path="/workers" component={Workers} />
    <Route path="/workers/:id" component={WorkerPage} />
    <Route path="/schedules" component={Schedules} />
    <Route path="/types" component={Types} />
    <Route path="/types/:name" component={TypePage} />
    <Route path="/system" component={System} />
    <Route path="*" component={NotFound} />
  </>
)
