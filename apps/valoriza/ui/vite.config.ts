import react from '@vitejs/plugin-react';
import { defineConfig } from 'vitest/config';

/** Where `npm run dev` and `npm run preview` find the API. */
const api = process.env.VALORIZA_API ?? 'http://127.0.0.1:8080';
const proxy = { '/api': { target: api } };

export default defineConfig({
  plugins: [react()],
  build: {
    // Inlined assets would be data: URLs, which a content security policy of 'self' refuses.
    assetsInlineLimit: 0,
    sourcemap: false,
    // Hexadecimal hashes are told from words with certainty, so the gateway lets browsers keep these files for ever.
    rolldownOptions: { output: { hashCharacters: 'hex' } },
  },
  server: { proxy },
  preview: {
    proxy,
    // The strictest policy the page can be served with, so that a breach shows here.
    headers: { 'Content-Security-Policy': "default-src 'self'" },
  },
  test: { include: ['src/**/*.test.ts'], environment: 'node' },
});
