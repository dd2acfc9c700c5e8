import { defineConfig } from '@playwright/test';

/**
 * The pages in a real browser against a real valoriza, which someone else starts: BASE_URL says where,
 * DEMO_EMAIL and DEMO_PASSWORD who. The browser is the system's; none is ever downloaded.
 */
export default defineConfig({
  testDir: '.',
  outputDir: '../test-results',
  // The tests share one household, and a flaky one is to be seen.
  workers: 1,
  retries: 0,
  forbidOnly: true,
  reporter: 'list',
  // Bounds for a busy machine, not waits: what is fast stays fast.
  timeout: 60_000,
  expect: { timeout: 20_000 },
  use: {
    baseURL: required('BASE_URL'),
    locale: 'pt-BR',
    timezoneId: 'America/Sao_Paulo',
    trace: 'retain-on-failure',
    screenshot: 'only-on-failure',
    launchOptions: {
      executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
      args: [
        '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
        '--disable-component-update', '--disable-sync',
      ],
    },
  },
});

function required(name: string): string {
  const value = process.env[name];
  if (!value) throw new Error(`set ${name}: the address of a running valoriza`);
  return value;
}
