// Sets the chosen theme before the first paint; without a choice the system decides.
try {
  const theme = localStorage.getItem("fastworker.theme")
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme
} catch {
  // Storage is blocked: the system decides.
}
