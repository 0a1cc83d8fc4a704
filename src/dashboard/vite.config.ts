/** Builds the dashboard into `dist/dashboard`: relative addresses only, nothing inline, nothing from elsewhere. */
import { fileURLToPath } from "node:url"
import { defineConfig, type Plugin } from "vite"
import solid from "vite-plugin-solid"

/** The styles of a page may come first in the one file: what wins over what is said before all of them. */
const layerOrder: Plugin = {
  name: "layer-order",
  generateBundle: {
    order: "post",
    handler: (_, bundle) => {
      for (const file of Object.values(bundle)) {
        if (file.type === "asset" && file.fileName.endsWith(".css")) {
          file.source = `@layer base,components,pages,adjust;${String(file.source)}`
        }
      }
    }
  }
}

export default defineConfig({
  root: fileURLToPath(new URL(".", import.meta.url)),
  // The page's <base> says where the dashboard stands.
  base: "./",
  plugins: [solid(), layerOrder],
  worker: { format: "es" },
  build: {
    outDir: fileURLToPath(new URL("../../dist/dashboard", import.meta.url)),
    emptyOutDir: true,
    target: "es2023",
    // Older targets get light-dark() rewritten.
    cssTarget: "chrome123",
    cssCodeSplit: false,
    // A font as a data: address is against the policy of the page.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    license: { fileName: "licences.md" },
    rolldownOptions: {
      checks: { pluginTimings: false },
      output: {
        // What several pages use is one file: many small ones cost more than they save.
        codeSplitting: {
          groups: [
            { name: "shared", test: /src[\\/]dashboard[\\/](?!pages)|lucide/u, minShareCount: 2 },
            { name: "pages", test: /pages[\\/](?:workers|types|schedules|system)/u }
          ]
        }
      }
    },
    reportCompressedSize: false
  },
  // Beside the API there is a folder of that name.
  server: { proxy: { "^/api/(?!\\w+\\.ts)": process.env["FASTWORKER_URL"] ?? "http://127.0.0.1:8080" } }
})
