// First line of the commands that a newcomer types: says what to do when the Node that runs them is too old, instead of
// failing later with a syntax error. npm puts the Node that this project brings (a devDependency) first on the path.
const [major, minor] = process.versions.node.split(".").map(Number)
if (major < 22 || (major === 22 && minor < 19)) {
  console.error(
    `FastWorker needs Node 22.19 or newer and this is ${process.versions.node}. ` +
      "The project brings its own Node: run `npm install --foreground-scripts` (install scripts must be allowed) and try again."
  )
  process.exit(1)
}
