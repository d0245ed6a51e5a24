/** What each report asks for: advertising.amazon.com/API/docs/en-us/guides/reporting/v3/report-types. */
export interface ReportLiteral {
  stream: string;
  report: string;
  product: 'SPONSORED_PRODUCTS' | 'SPONSORED_BRANDS' | 'SPONSORED_DISPLAY';
  group: string;
  columns: string;
  /** Ranges of the first read on 15 June 2026: at most 31 days each, as far back as Amazon keeps the data. */
  windows: [string, string][];
}

/** 95, 60 and 65 days; and 731 in one piece, with today in another. */
const PRODUCTS: [string, string][] = [
  ['2026-03-12', '2026-04-11'],
  ['2026-04-12', '2026-05-12'],
  ['2026-05-13', '2026-06-12'],
  ['2026-06-13', '2026-06-15'],
];
const BRANDS: [string, string][] = [
  ['2026-04-16', '2026-05-16'],
  ['2026-05-17', '2026-06-15'],
];
const DISPLAY: [string, string][] = [
  ['2026-04-11', '2026-05-11'],
  ['2026-05-12', '2026-06-11'],
  ['2026-06-12', '2026-06-15'],
];
const PURCHASES: [string, string][] = [
  ['2024-06-14', '2026-06-14'],
  ['2026-06-15', '2026-06-15'],
];

const bought =
  'purchases1d purchases7d purchases14d purchases30d sales1d sales7d sales14d sales30d unitsSoldClicks1d unitsSoldClicks7d unitsSoldClicks14d unitsSoldClicks30d';
const sp = `impressions clicks cost ${bought}`;
const brand = 'impressions clicks cost purchases purchasesClicks sales salesClicks unitsSold';
const display = `${brand} unitsSoldClicks`;
const campaign = 'date campaignId campaignName';
const adGroup = `${campaign} adGroupId adGroupName`;
const keyword = 'keywordId keyword keywordType matchType';

const of =
  (product: ReportLiteral['product'], windows: [string, string][]) =>
  (stream: string, report: string, group: string, columns: string): ReportLiteral => ({
    ...{ stream: `${stream}_report`, report, product, group, columns, windows },
  });
const products = of('SPONSORED_PRODUCTS', PRODUCTS);
const brands = of('SPONSORED_BRANDS', BRANDS);
const displays = of('SPONSORED_DISPLAY', DISPLAY);
const budget = 'campaignStatus campaignBudgetAmount campaignBudgetType campaignBudgetCurrencyCode';

export const REPORTS: readonly ReportLiteral[] = [
  products('sp_campaigns', 'spCampaigns', 'campaign', `${campaign} ${budget} ${sp}`),
  products('sp_ad_groups', 'spCampaigns', 'adGroup', `date adGroupId adGroupName adStatus ${sp}`),
  products('sp_placements', 'spCampaigns', 'campaignPlacement', `${campaign} placementClassification ${sp}`),
  products('sp_advertised_products', 'spAdvertisedProduct', 'advertiser', `${adGroup} adId portfolioId advertisedAsin advertisedSku ${sp}`),
  products('sp_search_terms', 'spSearchTerm', 'searchTerm', `${adGroup} ${keyword} targeting searchTerm ${sp}`),
  products('sp_targeting', 'spTargeting', 'targeting', `${adGroup} ${keyword} targeting ${sp}`),
  products(
    'sp_purchased_products',
    'spPurchasedProduct',
    'asin',
    `${adGroup} ${keyword} advertisedAsin advertisedSku purchasedAsin ${bought}`,
  ),
  brands('sb_campaigns', 'sbCampaigns', 'campaign', `${campaign} ${budget} ${brand}`),
  brands('sb_search_terms', 'sbSearchTerm', 'searchTerm', `${adGroup} keywordId keywordText matchType searchTerm ${brand}`),
  brands(
    'sb_targeting',
    'sbTargeting',
    'targeting',
    `${adGroup} keywordId keywordText keywordType matchType targetingId targetingExpression targetingText targetingType ${brand}`,
  ),
  of('SPONSORED_BRANDS', PURCHASES)(
    'sb_purchased_products',
    'sbPurchasedProduct',
    'purchasedAsin',
    `${adGroup} purchasedAsin productName productCategory attributionType campaignBudgetCurrencyCode orders14d sales14d unitsSold14d newToBrandPurchases14d newToBrandSales14d`,
  ),
  displays(
    'sd_campaigns',
    'sdCampaigns',
    'campaign',
    `${campaign} campaignStatus campaignBudgetAmount campaignBudgetCurrencyCode ${display}`,
  ),
  displays('sd_advertised_products', 'sdAdvertisedProduct', 'advertiser', `${adGroup} adId promotedAsin promotedSku ${display}`),
  displays('sd_targeting', 'sdTargeting', 'targeting', `${adGroup} targetingId targetingExpression targetingText ${display}`),
  displays(
    'sd_purchased_products',
    'sdPurchasedProduct',
    'asin',
    `${adGroup} promotedAsin promotedSku asinBrandHalo conversionsBrandHalo salesBrandHalo unitsSoldBrandHalo`,
  ),
];
