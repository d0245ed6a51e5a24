// Generated from connectors/ by scripts/generate.ts. Do not edit: run npm run generate.
import type { Secret } from './core/secret.ts';

/** Tokens that the caller has already, for methods that get theirs from an authorization server. */
export interface ConnectorTokens {
  access_token?: string | Secret;
  refresh_token?: string | Secret;
  /** Milliseconds since the epoch. */
  expires_at?: number;
}

export type AmazonAdsInputs =
  | {
      method?: 'oauth';
      choices?: { region?: 'na' | 'eu' | 'fe' };
      fields: {
        /** Creation and update times. Adds the column extendedData (created, last updated, serving status) to Sponsored Products and Sponsored Brands. Such requests weigh five times as much towards Amazon's throttling */
        extended?: boolean;
        /** Client ID. From the tab Web Settings of the security profile. Example: amzn1.application-oa2-client.0123456789abcdef0123456789abcdef */
        client_id: string;
        /** Client secret. From the tab Web Settings of the security profile, behind Show Secret */
        client_secret: string | Secret;
        /** Scope. What to consent to. Test accounts are made with advertising::test:create_account, data providers use advertising::audiences */
        scope?: string;
        /** Profile. An advertiser's account in one marketplace. Choose one to read that one only; left out, every stream is read once for each profile of the region that the user may edit. The list is read from Amazon once you have consented */
        profile_id?: string;
      };
      tokens?: ConnectorTokens;
    };

export type JamaConnectInputs =
  | {
      method?: 'oauth';
      fields: {
        /** Jama Connect URL. The address you open in the browser, up to and without /rest. A self-hosted Jama Connect often has a context path: give it too, as in https://jama.example.com/contour. Example: https://acme.jamacloud.com */
        site: string;
        /** Changes since. Where the first read of two streams begins: items are those modified since the beginning of this day (UTC), activities those that happened since. Later reads go on from there by themselves. All other streams are read without it. Example: 2026-01-01 */
        start_date?: string;
        /** Client ID. From Set API Credentials in the user profile */
        client_id: string;
        /** Client secret. Shown once, when the credentials are made. If it is lost, make new ones */
        client_secret: string | Secret;
      };
      tokens?: ConnectorTokens;
    }
  | {
      method: 'basic';
      fields: {
        /** Jama Connect URL. The address you open in the browser, up to and without /rest. A self-hosted Jama Connect often has a context path: give it too, as in https://jama.example.com/contour. Example: https://acme.jamacloud.com */
        site: string;
        /** Changes since. Where the first read of two streams begins: items are those modified since the beginning of this day (UTC), activities those that happened since. Later reads go on from there by themselves. All other streams are read without it. Example: 2026-01-01 */
        start_date?: string;
        /** User name. The name of a Jama Connect user with REST API access */
        username: string;
        /** Password. The password of that user */
        password: string | Secret;
      };
    };

export type JamppInputs =
  | {
      method?: 'oauth';
      fields: {
        /** From. First day (UTC) of the figures, and where the first read begins; left out, it begins 90 days ago. Later reads go on from there by themselves. Example: 2026-01-01 */
        start_date?: string;
        /** To (not included). The day (UTC) before which the figures end: what is of this day or later is left out, now and in later reads. For all of January enter the first of February. Left out, reads go on with each new day; a day is read once it is over. Example: 2026-02-01 */
        end_date?: string;
        /** Client ID. From the page of credentials in Jampp */
        client_id: string;
        /** Client secret. From the page of credentials in Jampp */
        client_secret: string | Secret;
      };
      tokens?: ConnectorTokens;
    };

export type JumpsellerInputs =
  | {
      method?: 'basic';
      fields: {
        /** Orders from. First day of the orders to read, and where the first read begins; left out, it begins in 2010. Later reads bring the orders made since, and those of the last 30 days again. All other streams are read without it. Example: 2026-01-01 */
        start_date?: string;
        /** Orders to. Last day of the orders to read: what was made later is left out, now and in later reads. Left out, reads go on with each new day. Example: 2026-03-31 */
        end_date?: string;
        /** Login. Admin panel > Account > Login */
        username: string;
        /** Auth token. Admin panel > Account > Auth token */
        password: string | Secret;
      };
    }
  | {
      method: 'oauth';
      fields: {
        /** Orders from. First day of the orders to read, and where the first read begins; left out, it begins in 2010. Later reads bring the orders made since, and those of the last 30 days again. All other streams are read without it. Example: 2026-01-01 */
        start_date?: string;
        /** Orders to. Last day of the orders to read: what was made later is left out, now and in later reads. Left out, reads go on with each new day. Example: 2026-03-31 */
        end_date?: string;
        /** Client ID. Of your application, from Apps > Developers */
        client_id: string;
        /** Client secret. Of your application, from Apps > Developers */
        client_secret: string | Secret;
      };
      tokens?: ConnectorTokens;
    }
  | {
      method: 'query';
      fields: {
        /** Orders from. First day of the orders to read, and where the first read begins; left out, it begins in 2010. Later reads bring the orders made since, and those of the last 30 days again. All other streams are read without it. Example: 2026-01-01 */
        start_date?: string;
        /** Orders to. Last day of the orders to read: what was made later is left out, now and in later reads. Left out, reads go on with each new day. Example: 2026-03-31 */
        end_date?: string;
        /** Auth token. Admin panel > Account > Auth token */
        api_key: string | Secret;
        /** Login. Admin panel > Account > Login */
        login: string;
      };
    };

export type UppromoteInputs =
  | {
      method?: 'key';
      choices?: { api?: 'v2' | 'v1' };
      fields: {
        /** Referrals from. First day (UTC) on which the referrals to read were made, and where the first read begins; left out, it begins with the first referral. Later reads bring what was made since, and the last 30 days again. Example: 2026-01-01 */
        start_date?: string;
        /** Referrals to. Last day (UTC) on which the referrals to read were made: what was made later is left out, now and in later reads. Left out, reads go on with each new day. Example: 2026-03-31 */
        end_date?: string;
        /** API key. Settings > Integrations > API key. Enter it alone, without "Bearer" */
        api_key: string | Secret;
      };
    };

/** The connectors that are known by name when code is compiled. A team adds its own with `ferrule types`. */
export interface Connectors {
  /** Amazon Ads */
  'amazon-ads': {
    inputs: AmazonAdsInputs;
    streams:
      | 'profiles'
      | 'sp_campaigns'
      | 'sp_ad_groups'
      | 'sp_product_ads'
      | 'sp_keywords'
      | 'sp_targets'
      | 'sp_negative_keywords'
      | 'sp_campaign_negative_keywords'
      | 'sp_negative_targets'
      | 'sp_campaign_negative_targets'
      | 'portfolios'
      | 'sb_campaigns'
      | 'sb_ad_groups'
      | 'sb_ads'
      | 'sb_keywords'
      | 'sb_targets'
      | 'sd_campaigns'
      | 'sd_ad_groups'
      | 'sd_product_ads'
      | 'sd_targets'
      | 'sd_negative_targets'
      | 'sd_creatives'
      | 'unified_sb_campaigns'
      | 'unified_sb_ad_groups'
      | 'unified_sb_ads'
      | 'unified_sb_targets'
      | 'unified_sd_campaigns'
      | 'unified_sd_ad_groups'
      | 'unified_sd_ads'
      | 'unified_sd_targets'
      | 'sp_campaigns_report'
      | 'sp_ad_groups_report'
      | 'sp_placements_report'
      | 'sp_advertised_products_report'
      | 'sp_search_terms_report'
      | 'sp_targeting_report'
      | 'sp_purchased_products_report'
      | 'sb_campaigns_report'
      | 'sb_search_terms_report'
      | 'sb_targeting_report'
      | 'sb_purchased_products_report'
      | 'sd_campaigns_report'
      | 'sd_advertised_products_report'
      | 'sd_targeting_report'
      | 'sd_purchased_products_report'
      | 'export_campaigns'
      | 'export_ad_groups'
      | 'export_targets'
      | 'export_ads';
  };
  /** Jama Connect */
  'jama-connect': {
    inputs: JamaConnectInputs;
    streams:
      | 'projects'
      | 'items'
      | 'project_items'
      | 'relationships'
      | 'relationship_types'
      | 'item_types'
      | 'pick_lists'
      | 'pick_list_options'
      | 'users'
      | 'user_groups'
      | 'releases'
      | 'tags'
      | 'baselines'
      | 'activities'
      | 'test_plans'
      | 'test_cycles'
      | 'test_runs'
      | 'comments'
      | 'filters'
      | 'filter_results'
      | 'item_versions'
      | 'item_comments'
      | 'item_links'
      | 'item_attachments'
      | 'item_tags';
  };
  /** Jampp */
  'jampp': {
    inputs: JamppInputs;
    streams:
      | 'campaign_daily'
      | 'app_daily'
      | 'country_daily'
      | 'ad_set_daily'
      | 'ad_daily'
      | 'exchange_daily'
      | 'group_daily'
      | 'events_daily'
      | 'publisher_daily';
  };
  /** Jumpseller */
  'jumpseller': {
    inputs: JumpsellerInputs;
    streams:
      | 'products'
      | 'product_variants'
      | 'product_reviews'
      | 'orders'
      | 'order_history'
      | 'customers'
      | 'customer_categories'
      | 'categories'
      | 'fulfillments'
      | 'promotions'
      | 'locations'
      | 'pages'
      | 'hooks'
      | 'shipping_methods'
      | 'payment_methods'
      | 'taxes'
      | 'custom_fields'
      | 'checkout_custom_fields'
      | 'documents'
      | 'store';
  };
  /** UpPromote */
  'uppromote': {
    inputs: UppromoteInputs;
    streams:
      | 'affiliates'
      | 'referrals'
      | 'coupons'
      | 'programs'
      | 'payments_paid'
      | 'payments_unpaid'
      | 'payment_details'
      | 'webhook_subscriptions';
  };
}
