import { expect, go, openComposer, signIn, test, unique } from './watched';

test('a read met by a starting service is repeated after what it asks for', async ({ page, watched }) => {
  watched.allow(/503/);
  await signIn(page);
  let refusals = 0;
  await page.route('**/api/budgets?*', async (route) => {
    if (refusals > 0) return route.continue();
    refusals += 1;
    return route.fulfill({ status: 503, headers: { 'Retry-After': '0' }, json: { code: 'starting', title: 'Iniciando' } });
  });
  await go(page, 'Orçamentos');
  await expect(page.getByText('Carregando…')).toHaveCount(0);
  await expect(page.getByText('Não foi possível carregar')).toHaveCount(0);
  expect(refusals).toBe(1);
});

test('a long wait is explained until it ends', async ({ page }) => {
  await signIn(page);
  let answer = () => {};
  const held = new Promise<void>((resolve) => (answer = resolve));
  await page.route('**/api/budgets?*', async (route) => {
    await held;
    return route.continue();
  });
  await go(page, 'Orçamentos');
  await expect(page.getByText('Acordando o serviço…')).toBeVisible();
  answer();
  await expect(page.getByText('Acordando o serviço…')).toBeHidden();
});

test('a write whose answer was lost is repeated with its key and made once', async ({ page, watched }) => {
  watched.allow(/ERR_FAILED/);
  await signIn(page);
  const keys: (string | undefined)[] = [];
  await page.route('**/api/transactions', async (route) => {
    keys.push(route.request().headers()['idempotency-key']);
    if (keys.length > 1) return route.continue();
    await route.fetch();
    return route.abort();
  });
  const description = unique('Uma vez');
  const dialog = await openComposer(page);
  await dialog.getByLabel('Valor').fill('3,00');
  await dialog.getByLabel('Descrição').fill(description);
  await dialog.getByRole('button', { name: 'Adicionar' }).click();
  await expect(dialog.getByRole('alert')).toContainText('Não foi possível falar com o valoriza');
  await dialog.getByRole('button', { name: 'Adicionar' }).click();
  await expect(dialog).toBeHidden();
  expect(keys).toHaveLength(2);
  expect(keys[0]).toBeTruthy();
  expect(keys[1]).toBe(keys[0]);

  await page.goto(`/transacoes?q=${encodeURIComponent(description)}`);
  await expect(page.getByRole('main').getByRole('button', { name: new RegExp(`^${description}`) })).toHaveCount(1);
});

test('a change made meanwhile by someone else is not overwritten', async ({ page, browser, watched }) => {
  watched.allow(/412/);
  await signIn(page);
  const description = unique('Disputa');
  const composer = await openComposer(page);
  await composer.getByLabel('Valor').fill('7,00');
  await composer.getByLabel('Descrição').fill(description);
  await composer.getByRole('button', { name: 'Adicionar' }).click();
  await expect(composer).toBeHidden();

  const address = `/transacoes?q=${encodeURIComponent(description)}`;
  const other = await (await browser.newContext()).newPage();
  await signIn(other);
  const dialogs = [];
  for (const it of [page, other]) {
    await it.goto(address);
    await it.getByRole('main').getByRole('button', { name: new RegExp(`^${description}`) }).click();
    dialogs.push(it.getByRole('dialog', { name: 'Editar transação' }));
  }
  const [mine, theirs] = dialogs;
  if (!mine || !theirs) throw new Error('there are two pages');
  await theirs.getByLabel('Valor').fill('8,00');
  await theirs.getByRole('button', { name: 'Salvar' }).click();
  await expect(theirs).toBeHidden();

  await mine.getByLabel('Valor').fill('9,00');
  await mine.getByRole('button', { name: 'Salvar' }).click();
  await expect(mine.getByRole('alert')).toContainText('Alguém alterou isto');
  await mine.getByRole('button', { name: 'Recarregar' }).click();
  await expect(mine.getByLabel('Valor')).toHaveValue('8,00');
  await other.context().close();
});

test('however many requests meet a refused token, it is refreshed once', async ({ page, watched }) => {
  watched.allow(/401/);
  await signIn(page);
  const dialog = await openComposer(page);
  await dialog.getByLabel('Valor').fill('2,00');
  await dialog.getByLabel('Descrição').fill(unique('Renovação'));
  let refused = 0;
  let refreshes = 0;
  await page.route('**/api/auth/refresh', (route) => {
    refreshes += 1;
    return route.continue();
  });
  // What is read again after the write: the summary, the accounts and the categories, all at once.
  await page.route(/\/api\/(summary|accounts|categories)\?/, (route) => {
    if (refreshes > 0) return route.continue();
    refused += 1;
    return route.fulfill({ status: 401, json: { code: 'token_expired', title: 'Expirado' } });
  });
  const reads = Promise.all(
    ['summary', 'accounts', 'categories'].map((what) => page.waitForResponse((it) => it.url().includes(`/api/${what}?`) && it.ok())),
  );
  await dialog.getByRole('button', { name: 'Adicionar' }).click();
  await reads;
  expect(refused).toBeGreaterThan(1);
  expect(refreshes).toBe(1);
});

test('a session the server ended leads to the sign-in page', async ({ page, watched }) => {
  watched.allow(/401/);
  await signIn(page);
  await page.evaluate(() => sessionStorage.setItem('valoriza.refresh_token', 'not-a-token'));
  await page.reload();
  await expect(page.getByText('Sua sessão terminou')).toBeVisible();
  await signIn(page);
});

test('a page reloaded before it had its new token stays signed in', async ({ page }) => {
  await signIn(page);
  let exchanges = 0;
  let exchanged = () => {};
  const lost = new Promise<void>((resolve) => (exchanged = resolve));
  await page.route('**/api/auth/refresh', async (route) => {
    exchanges += 1;
    if (exchanges > 1) return route.continue();
    // The token is exchanged, and the answer goes with the page.
    await route.fetch();
    return exchanged();
  });
  await page.reload();
  await lost;
  await page.reload();
  await expect(page.getByRole('heading', { name: 'Visão geral' })).toBeVisible();
  expect(exchanges).toBe(2);
});

test('a session is kept while the service cannot be reached', async ({ page, watched }) => {
  watched.allow(/ERR_FAILED/);
  await signIn(page);
  await page.route('**/api/auth/refresh', (route) => route.abort());
  await page.reload();
  await expect(page.getByRole('alert')).toContainText('Não foi possível falar com o valoriza');
  await page.unroute('**/api/auth/refresh');
  await page.getByRole('button', { name: 'Tentar de novo' }).click();
  await expect(page.getByRole('heading', { name: 'Visão geral' })).toBeVisible();
});
