import type { Page } from '@playwright/test';
import { addExpense, eventually, expect, expectAccessible, go, newHousehold, test, unique } from './watched';

/** Makes an automation for what has `word` in it: a category, a tag, a notification. */
async function automate(page: Page, word: string): Promise<void> {
  await go(page, 'Automações');
  await page.getByRole('button', { name: 'Nova automação' }).click();
  const dialog = page.getByRole('dialog', { name: 'Nova automação' });
  await dialog.getByLabel('A descrição tem').fill(word.toUpperCase());
  await dialog.getByRole('combobox', { name: 'Categoria', exact: true }).fill('lazer hobbies');
  await dialog.getByRole('combobox', { name: 'Categoria', exact: true }).press('Enter');
  await dialog.getByLabel('Etiquetas').fill('festa');
  await dialog.getByLabel('Avisar a cada nova transação assim').check();
  await dialog.getByRole('button', { name: 'Salvar' }).click();
  await expect(dialog).toBeHidden();
}

test('an automation categorises what comes, tags it and tells', async ({ page }) => {
  await newHousehold(page);
  const word = unique('zaragata');
  await automate(page, word);
  await expectAccessible(page);
  await addExpense(page, '20,00', `Compra ${word}`);
  await page.goto(`/transacoes?q=${encodeURIComponent(word)}`);
  const row = page.getByRole('listitem').filter({ hasText: word });
  await eventually(page, async () => {
    await expect(row.getByRole('button', { name: /Lazer › Hobbies/ })).toBeVisible({ timeout: 2_000 });
    await expect(row).toContainText('festa', { timeout: 2_000 });
  });
  await expect(row).toContainText('Automação');

  await eventually(page, () => expect(page.getByRole('button', { name: /Notificações: \d+ não lida/ })).toBeVisible({ timeout: 2_000 }));
  await page.getByRole('button', { name: /^Notificações/ }).click();
  const notices = page.getByRole('dialog', { name: 'Notificações' });
  await expect(notices).toContainText(word);
  await expectAccessible(page);
  await notices.getByRole('button', { name: 'Marcar todas como lidas' }).click();
  await page.keyboard.press('Escape');
  await expect(page.getByRole('button', { name: 'Notificações', exact: true })).toBeVisible();
});

test('an automation is seen to match while it is written, and applied to the past when asked', async ({ page }) => {
  await newHousehold(page);
  const word = unique('zaragata');
  await addExpense(page, '10,00', `Compra ${word}`);
  await go(page, 'Automações');
  await page.getByRole('button', { name: 'Nova automação' }).click();
  const dialog = page.getByRole('dialog', { name: 'Nova automação' });
  await dialog.getByRole('button', { name: 'Salvar' }).click();
  await expect(dialog.getByText('Diga ao menos uma condição.')).toBeVisible();
  await dialog.getByLabel('A descrição tem').fill(word);
  await expect(dialog.getByText('1 transação sua combina.')).toBeVisible();
  await expect(dialog.getByText(`Compra ${word}`)).toBeVisible();
  await expectAccessible(page);
  await page.keyboard.press('Escape');

  await automate(page, word);
  await page.getByRole('button', { name: /^Aplicar ao passado/ }).click();
  await page.getByRole('dialog', { name: 'Aplicar ao passado?' }).getByRole('button', { name: 'Aplicar' }).click();
  await expect(page.getByText('Aplicando às transações de antes')).toBeVisible();
  await page.goto(`/transacoes?q=${encodeURIComponent(word)}`);
  const row = page.getByRole('listitem').filter({ hasText: word });
  await eventually(page, () => expect(row.getByRole('button', { name: /Lazer › Hobbies/ })).toBeVisible({ timeout: 2_000 }));
});

test('automations are put in order, switched off and deleted', async ({ page }) => {
  await newHousehold(page);
  await go(page, 'Automações');
  for (const name of ['Primeira', 'Segunda']) {
    await page.getByRole('button', { name: 'Nova automação' }).click();
    const dialog = page.getByRole('dialog', { name: 'Nova automação' });
    await dialog.getByLabel('A descrição tem').fill(name);
    await dialog.getByLabel('Avisar a cada nova transação assim').check();
    await dialog.getByRole('button', { name: 'Salvar' }).click();
    await expect(dialog).toBeHidden();
  }
  const names = page.getByRole('main').getByRole('heading', { level: 2 });
  await expect(names).toHaveText(['Primeira', 'Segunda']);
  await page.getByRole('button', { name: 'Subir Segunda' }).click();
  await expect(names).toHaveText(['Segunda', 'Primeira']);
  const use = page.getByRole('switch', { name: 'Usar Primeira' });
  await use.click();
  await expect(use).not.toBeChecked();
  await page.reload();
  await expect(names).toHaveText(['Segunda', 'Primeira']);
  await expect(use).not.toBeChecked();

  await page.getByRole('button', { name: 'Editar Segunda' }).click();
  await page.getByRole('dialog', { name: 'Editar automação' }).getByRole('button', { name: 'Excluir' }).click();
  await page.getByRole('dialog', { name: 'Excluir automação?' }).getByRole('button', { name: 'Excluir' }).click();
  await expect(names).toHaveText(['Primeira']);
});

test('a budget that runs out is told', async ({ page }) => {
  await newHousehold(page);
  await go(page, 'Orçamentos');
  await page.getByRole('button', { name: 'Novo orçamento' }).click();
  const budget = page.getByRole('dialog', { name: /Novo orçamento/ });
  await budget.getByRole('combobox', { name: 'Categoria', exact: true }).fill('lazer hobbies');
  await budget.getByRole('combobox', { name: 'Categoria', exact: true }).press('Enter');
  await budget.getByLabel('Valor do mês').fill('100,00');
  await budget.getByRole('button', { name: 'Salvar' }).click();
  await expect(budget).toBeHidden();

  await page.keyboard.press('n');
  const expense = page.getByRole('dialog', { name: 'Nova transação' });
  await expense.getByLabel('Valor').fill('85,00');
  await expense.getByLabel('Descrição').fill('Tintas');
  await expense.getByRole('combobox', { name: 'Categoria', exact: true }).fill('lazer hobbies');
  await expense.getByRole('combobox', { name: 'Categoria', exact: true }).press('Enter');
  await expense.getByRole('button', { name: 'Adicionar' }).click();
  await expect(expense).toBeHidden();
  await eventually(page, () => expect(page.getByRole('button', { name: 'Notificações: 1 não lida' })).toBeVisible({ timeout: 2_000 }));
  await page.getByRole('button', { name: /^Notificações/ }).click();
  const notice = page.getByRole('dialog', { name: 'Notificações' }).getByRole('listitem');
  await expect(notice).toContainText('80% do orçamento');
  await notice.getByRole('link').click();
  await expect(page.getByRole('heading', { name: 'Orçamentos', level: 1 })).toBeVisible();
  await expect(page.getByRole('button', { name: 'Notificações', exact: true })).toBeVisible();
});

test('a month becomes a report to open and a table to keep', async ({ page, context }) => {
  await newHousehold(page);
  const what = unique('Relatado');
  await addExpense(page, '12,34', what);
  await go(page, 'Relatórios');
  await page.getByRole('button', { name: 'Próximo mês' }).click();
  await page.getByRole('button', { name: 'Gerar relatório' }).click();
  await expect(page.getByRole('button', { name: /^Abrir o relatório de/ })).toBeVisible();
  await expectAccessible(page);

  const download = page.waitForEvent('download');
  await page.getByRole('button', { name: /^Baixar o CSV de/ }).click();
  const file = await download;
  expect(file.suggestedFilename()).toMatch(/^valoriza-\d{4}-\d{2}\.csv$/);
  const text = (await (await file.createReadStream()).toArray()).join('');
  expect(text).toContain(what);

  const opened = context.waitForEvent('page');
  await page.getByRole('button', { name: /^Abrir o relatório de/ }).click();
  await expect((await opened).getByText('12,34').first()).toBeVisible();
});

test('categories are made, moved and deleted', async ({ page }) => {
  await newHousehold(page);
  await go(page, 'Categorias');
  const name = unique('Aquarismo');
  await page.getByRole('button', { name: 'Nova categoria', exact: true }).click();
  const made = page.getByRole('dialog', { name: 'Nova categoria' });
  await made.getByLabel('Nome').fill(name);
  await made.getByRole('button', { name: 'Salvar' }).click();
  await page.getByRole('button', { name: `Editar ${name}` }).click();
  const edited = page.getByRole('dialog', { name: 'Editar categoria' });
  await edited.getByLabel('Dentro de').selectOption({ label: 'Lazer' });
  await edited.getByRole('button', { name: 'Salvar' }).click();
  await page.getByRole('button', { name: `Editar Lazer › ${name}` }).click();
  await edited.getByRole('button', { name: 'Excluir' }).click();
  await page.getByRole('dialog', { name: 'Excluir categoria?' }).getByRole('button', { name: 'Excluir' }).click();
  await expect(page.getByText(name).filter({ visible: true })).toHaveCount(0);
});
