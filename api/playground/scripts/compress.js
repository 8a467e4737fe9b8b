// Puts the built files, compressed, where the server embeds them from.
import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { constants, gzipSync } from "node:zlib";

const built = new URL("../dist/", import.meta.url);
const assets = new URL("../assets/", import.meta.url);

rmSync(assets, { recursive: true, force: true });
mkdirSync(assets);
for (const name of readdirSync(built)) {
  const compressed = gzipSync(readFileSync(new URL(name, built)), { level: constants.Z_BEST_COMPRESSION });
  writeFileSync(new URL(`${name}.gz`, assets), compressed);
}
