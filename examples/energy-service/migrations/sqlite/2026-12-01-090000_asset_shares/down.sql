DROP TABLE asset_shares;
