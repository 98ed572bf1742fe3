import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vitest/config';

const server = process.env['VELA_SERVER'] ?? 'http://127.0.0.1:5000';

export default defineConfig({
  base: './',
  plugins: [svelte()],
  build: { outDir: '../src/vela/dashboard/static', emptyOutDir: true, target: 'es2023', assetsInlineLimit: 0, license: { fileName: 'licenses.txt' } },
  server: { proxy: { '/api': server, '/login': server, '/socket.io': { target: server, ws: true } } },
  test: { include: ['src/**/*.test.ts'], environment: 'node' },
});
