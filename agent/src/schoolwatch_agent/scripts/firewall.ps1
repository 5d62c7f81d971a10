# The three profiles as they work, group policy included, and other makers' firewalls.
$answer = [ordered]@{}
try {
  $answer.profiles = @(Get-NetFirewallProfile -PolicyStore ActiveStore |
    Select-Object Name, @{ n = 'Enabled'; e = { [int]$_.Enabled } })
} catch { $answer.profiles_error = '{0} 0x{1:x8}' -f $_.Exception.Message, $_.Exception.HResult }
try {
  $answer.products = @(Get-CimInstance -Namespace root\SecurityCenter2 -ClassName FirewallProduct -OperationTimeoutSec 15 |
    Select-Object displayName, productState)
} catch { $answer.products_error = '{0} 0x{1:x8}' -f $_.Exception.Message, $_.Exception.HResult }
[pscustomobject]$answer | ConvertTo-Json -Depth 4 -Compress
