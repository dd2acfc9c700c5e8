// Writes dist/brands.tsv: brands of Brazil and of the whole world with valoriza's category, from
// name-suggestion-index (BSD-3-Clause), and its licence beside it.

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

// The OSM tag a brand is filed under -> the category of a purchase there. Tags that say nothing about
// what is paid for (banks, office, advertising, …) are not here and their brands are left out.
const CATEGORIES = {
  'amenity/bicycle_rental': 'Aplicativos',
  'amenity/cafe': 'Restaurantes',
  'amenity/car_rental': 'Viagens',
  'amenity/car_wash': 'Manutenção do carro',
  'amenity/charging_station': 'Combustível',
  'amenity/cinema': 'Cinema e shows',
  'amenity/dentist': 'Consultas e exames',
  'amenity/fast_food': 'Restaurantes',
  'amenity/fuel': 'Combustível',
  'amenity/ice_cream': 'Restaurantes',
  'amenity/language_school': 'Cursos',
  'amenity/music_school': 'Cursos',
  'amenity/pharmacy': 'Farmácia',
  'amenity/restaurant': 'Restaurantes',
  'amenity/school': 'Escola',
  'amenity/training': 'Cursos',
  'craft/cleaning': 'Manutenção da casa',
  'healthcare/laboratory': 'Consultas e exames',
  'leisure/fitness_centre': 'Academia',
  'leisure/sports_centre': 'Academia',
  'shop/appliance': 'Casa e decoração',
  'shop/baby_goods': 'Filhos',
  'shop/bag': 'Vestuário',
  'shop/bakery': 'Padaria',
  'shop/bathroom_furnishing': 'Casa e decoração',
  'shop/beauty': 'Salão e barbearia',
  'shop/bed': 'Casa e decoração',
  'shop/bicycle': 'Hobbies',
  'shop/books': 'Livros e material',
  'shop/car_parts': 'Manutenção do carro',
  'shop/car_repair': 'Manutenção do carro',
  'shop/chocolate': 'Presentes',
  'shop/clothes': 'Vestuário',
  'shop/convenience': 'Supermercado',
  'shop/cosmetics': 'Cosméticos',
  'shop/deli': 'Supermercado',
  'shop/department_store': 'Compras',
  'shop/doityourself': 'Manutenção da casa',
  'shop/electronics': 'Eletrônicos',
  'shop/fashion_accessories': 'Vestuário',
  'shop/furniture': 'Casa e decoração',
  'shop/gas': 'Gás',
  'shop/gift': 'Presentes',
  'shop/hairdresser': 'Salão e barbearia',
  'shop/hardware': 'Manutenção da casa',
  'shop/health_food': 'Supermercado',
  'shop/hearing_aids': 'Consultas e exames',
  'shop/household_linen': 'Casa e decoração',
  'shop/houseware': 'Casa e decoração',
  'shop/interior_decoration': 'Casa e decoração',
  'shop/jewelry': 'Vestuário',
  'shop/kitchen': 'Casa e decoração',
  'shop/laundry': 'Outras despesas',
  'shop/lottery': 'Hobbies',
  'shop/mobile_phone': 'Eletrônicos',
  'shop/music': 'Hobbies',
  'shop/optician': 'Consultas e exames',
  'shop/outdoor': 'Hobbies',
  'shop/paint': 'Manutenção da casa',
  'shop/pastry': 'Padaria',
  'shop/perfumery': 'Cosméticos',
  'shop/pet': 'Ração',
  'shop/shoes': 'Vestuário',
  'shop/sports': 'Vestuário',
  'shop/stationery': 'Livros e material',
  'shop/supermarket': 'Supermercado',
  'shop/tea': 'Restaurantes',
  'shop/tool_hire': 'Manutenção da casa',
  'shop/toys': 'Brinquedos',
  'shop/travel_agency': 'Viagens',
  'shop/tyres': 'Manutenção do carro',
  'shop/variety_store': 'Compras',
  'shop/video_games': 'Hobbies',
  'shop/watches': 'Vestuário',
  'shop/wholesale': 'Supermercado',
  'tourism/hotel': 'Viagens',
};

// Shorter names of brands from elsewhere are too often something else's here.
const WORLD_NAME_MIN = 5;
const LATIN = /^[\p{Script=Latin}\p{N}\p{P}\p{S}\s]+$/u;

const root = dirname(dirname(dirname(createRequire(import.meta.url).resolve('name-suggestion-index'))));
const index = JSON.parse(readFileSync(join(root, 'dist/json/nsi.min.json'), 'utf8'));

const brands = new Map();
const add = (name, category, scope) => {
  const known = brands.get(name);
  if (name && LATIN.test(name) && (!known || (known.scope === 'W' && scope === 'BR'))) {
    brands.set(name, { category, scope });
  }
};
for (const [path, { items }] of Object.entries(index.nsi)) {
  const category = CATEGORIES[path.replace(/^brands\//, '')];
  if (!path.startsWith('brands/') || !category) continue;
  for (const { displayName, locationSet, matchNames = [] } of items) {
    const include = locationSet.include ?? [];
    const scope = include.includes('br') ? 'BR' : include.includes('001') ? 'W' : null;
    if (!scope || locationSet.exclude?.includes('br')) continue;
    for (const name of [displayName, ...matchNames]) {
      if (scope === 'BR' || name.length >= WORLD_NAME_MIN) add(name.replaceAll('\t', ' '), category, scope);
    }
  }
}

const out = new URL('dist/', import.meta.url);
const lines = [...brands].sort(([a], [b]) => (a < b ? -1 : 1));
const head = `# Brands of name-suggestion-index ${index._meta.version}, BSD-3-Clause: see LICENSE.md beside this file.\n`;
mkdirSync(out, { recursive: true });
writeFileSync(
  new URL('brands.tsv', out),
  head + lines.map(([name, { category, scope }]) => `${name}\t${category}\t${scope}\n`).join(''),
);
writeFileSync(new URL('LICENSE.md', out), readFileSync(join(root, 'LICENSE.md')));
console.log(`${lines.length} brands`);
