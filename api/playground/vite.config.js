import { defineConfig } from "vite";

// One script, one stylesheet, one font and Monaco's three workers, under names that stay: the
// server holds them in a table.
export default defineConfig({
  base: "/playground/",
  build: {
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 8192,
    modulePreload: false,
    rolldownOptions: {
      output: {
        codeSplitting: false,
        entryFileNames: "playground.js",
        assetFileNames: "[name][extname]",
      },
      // Directives for React's server side, which is not here.
      onwarn: (warning, warn) => warning.code === "MODULE_LEVEL_DIRECTIVE" || warn(warning),
    },
  },
  worker: {
    format: "es",
    rolldownOptions: { output: { codeSplitting: false, entryFileNames: "[name].js" } },
  },
});
